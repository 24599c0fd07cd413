using System.Buffers.Binary;
using System.Text;
using Synod.Core;
using Synod.Protocols.Consensus;
using Synod.Storage;

namespace Synod.Lab.Worlds;

/// <summary>
/// A state machine that remembers every command under its slot, and the configuration in force, in a node's store: what a crash leaves of
/// it is a prefix of what was applied.
/// </summary>
public sealed class StoredLog : IConfiguredState
{
    private const int ChunkCommands = 64;
    private static readonly byte[] s_applied = [0];
    private static readonly byte[] s_configuration = [1];
    private static readonly byte[] s_commands = [2];
    private static readonly byte[] s_end = [3];
    private static readonly ConfigurationWire s_wire = new();

    private readonly IStore _store;
    private readonly SortedDictionary<NodeId, (Slot At, List<KeyValuePair<Slot, string>> View)> _views = [];
    private readonly SortedDictionary<Slot, string> _arriving = [];

    /// <param name="store">What the node's last life left.</param>
    /// <param name="first">The configuration that a founding member begins with; null at a node that joins.</param>
    public StoredLog(IStore store, Configuration? first)
    {
        _store = store;
        if (store.Get(s_applied) is { } applied)
        {
            Applied = new Slot(BinaryPrimitives.ReadInt64BigEndian(applied));
            Configuration = Read(store.Get(s_configuration));
        }
        else
        {
            Configuration = first;
        }
    }

    public Slot Applied { get; private set; }

    public Configuration? Configuration { get; private set; }

    /// <summary>The commands held, in order. Epochs' ends are among them.</summary>
    public SortedDictionary<Slot, string> Commands()
    {
        var commands = new SortedDictionary<Slot, string>();
        using var cursor = _store.Seek(new KeySpan(new Key(s_commands), new Key(s_end)));
        while (cursor.Next())
        {
            commands.Add(new Slot(BinaryPrimitives.ReadInt64BigEndian(cursor.Key[1..])), Encoding.UTF8.GetString(cursor.Value));
        }

        return commands;
    }

    public void Apply(Slot slot, ReconfigurablePaxos.Command command)
    {
        Configuration = command is ReconfigurablePaxos.Command.Adopt adopt ? adopt.Configuration : Configuration;
        Applied = slot;
        var batch = new StoreBatch();
        Put(batch, slot, command.ToString()!);
        Finish(batch);
    }

    public SnapshotChunk? ReadSnapshot(NodeId reader, int index)
    {
        if (Configuration is null)
        {
            return null;
        }

        if (index == 0)
        {
            _views[reader] = (Applied, [.. Commands()]);
        }
        else if (!_views.ContainsKey(reader))
        {
            return null;
        }

        var (at, view) = _views[reader];
        var part = view.Skip(index * ChunkCommands).Take(ChunkCommands).ToList();
        var writer = new CodecWriter();
        s_wire.Write(writer, Configuration);
        writer.Unsigned((ulong)part.Count);
        foreach (var (slot, text) in part)
        {
            writer.Slot(slot);
            writer.String(text);
        }

        return new SnapshotChunk(at, index, (index + 1) * ChunkCommands >= view.Count, writer.ToArray());
    }

    public void InstallSnapshot(SnapshotChunk chunk)
    {
        if (chunk.Index == 0)
        {
            _arriving.Clear();
            (Applied, Configuration) = (new Slot(-1), null);
            var wipe = new StoreBatch();
            wipe.DeleteRange(s_commands, s_end);
            wipe.Delete(s_configuration);
            Finish(wipe);
        }

        var reader = new CodecReader(chunk.Data);
        var configuration = s_wire.Read(ref reader);
        for (var count = reader.Count(); count > 0; count--)
        {
            _arriving[reader.Slot()] = reader.String();
        }

        if (chunk.IsLast)
        {
            (Applied, Configuration) = (chunk.At, configuration);
            var batch = new StoreBatch();
            foreach (var (slot, text) in _arriving)
            {
                Put(batch, slot, text);
            }

            Finish(batch);
            _store.Flush();
        }
    }

    private static void Put(StoreBatch batch, Slot slot, string text)
    {
        var key = new byte[9];
        key[0] = s_commands[0];
        BinaryPrimitives.WriteInt64BigEndian(key.AsSpan(1), slot.Value);
        batch.Put(key, Encoding.UTF8.GetBytes(text));
    }

    private void Finish(StoreBatch batch)
    {
        var applied = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(applied, Applied.Value);
        batch.Put(s_applied, applied);
        if (Configuration is not null)
        {
            var writer = new CodecWriter();
            s_wire.Write(writer, Configuration);
            batch.Put(s_configuration, writer.ToArray());
        }

        _store.Write(batch);
    }

    private static Configuration? Read(byte[]? bytes)
    {
        var reader = new CodecReader(bytes);
        return bytes is null ? null : s_wire.Read(ref reader);
    }
}
