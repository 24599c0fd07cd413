using System.Buffers.Binary;
using Synod.Api;
using Synod.Core;
using Synod.Protocols.Byzantine;
using Synod.Protocols.Consensus;
using Synod.Storage;

namespace Synod.App.Protocols;

/// <summary>
/// The state machine of every protocol here: a map in the node's store, and of each client how much of it was executed. Each command
/// enters together with its position in one atomic write, so that after a crash the log's tail is executed once.
/// </summary>
internal sealed class ClientMap(IStore store) : IReplicatedState, IReplicatedService, IInterferingState
{
    private const byte ValueKind = (byte)'v';
    private const byte ClientKind = (byte)'c';
    private const int ChunkBytes = 256 << 10;

    // Claimed by the host for what it notes about the store itself are keys that begin with zero; ours begin with a letter.
    private static readonly byte[] s_positionKey = "p"u8.ToArray();
    private static readonly KeySpan s_all = new KeySpan(new Key("c"u8.ToArray()), new Key("w"u8.ToArray()));

    private readonly StoreBatch _batch = new();
    private readonly SortedDictionary<NodeId, List<byte[]>> _views = [];
    private Slot? _applied;

    public Slot Applied => _applied ??= store.Get(s_positionKey) is { } bytes ? new Slot(BinaryPrimitives.ReadInt64BigEndian(bytes)) : Slot.None;

    /// <summary>Applies what is agreed on at a position, unless the store has it already. <paramref name="once"/>: repetitions have no effect.</summary>
    public void Apply(Slot position, ReadOnlyMemory<byte> payload, bool once)
    {
        if (position > Applied)
        {
            _batch.Clear();
            if (MapCommand.Read(payload) is { } command)
            {
                Put(command, once);
            }

            Advance(position);
            store.Write(_batch);
        }
    }

    ReadOnlyMemory<byte> IReplicatedService.Execute(NodeId client, ReadOnlyMemory<byte> operation)
    {
        // The group sees to it that a client's request is executed once.
        _batch.Clear();
        if (MapCommand.Read(operation) is not { } command || command.Client != client.Value)
        {
            return ReadOnlyMemory<byte>.Empty;
        }

        Put(command, once: true);
        store.Write(_batch);
        return store.Get(ClientKey(command.Client)) ?? ReadOnlyMemory<byte>.Empty;
    }

    ReadOnlyMemory<byte> IInterferingState.Execute(ReadOnlyMemory<byte> operation)
    {
        // The replicas' sessions see to it that a command is executed once; those of one client may come in any order, if they touch
        // different keys.
        _batch.Clear();
        Put(MapCommand.Read(operation)!.Value, once: false);
        store.Write(_batch);
        return ReadOnlyMemory<byte>.Empty;
    }

    public bool TryTouch(ReadOnlyMemory<byte> operation, List<KeyAccess> touched)
    {
        if (MapCommand.Read(operation) is not { } command)
        {
            return false;
        }

        touched.Add(new KeyAccess(command.Key, Writes: true));
        return true;
    }

    ReadOnlyMemory<byte> IReplicatedService.Read(NodeId client, ReadOnlyMemory<byte> operation) =>
        MapCommand.Read(operation) is { } command ? store.Get(ValueKey(command.Key)) ?? ReadOnlyMemory<byte>.Empty : ReadOnlyMemory<byte>.Empty;

    public void Save(CodecWriter writer)
    {
        using var cursor = store.Seek(s_all);
        while (cursor.Next())
        {
            writer.Bytes(cursor.Key);
            writer.Bytes(cursor.Value);
        }
    }

    public void Load(ReadOnlyMemory<byte> state)
    {
        _batch.Clear();
        _batch.DeleteRange(s_all.Start.Memory.ToArray(), s_all.End.Memory.ToArray());
        Fill(state);
        store.Write(_batch);
        _applied = null;
    }

    public SnapshotChunk? ReadSnapshot(NodeId reader, int index)
    {
        if (index == 0)
        {
            _views[reader] = View();
        }

        return _views.TryGetValue(reader, out var chunks) && index < chunks.Count
            ? new SnapshotChunk(new Slot(BinaryPrimitives.ReadInt64BigEndian(chunks[index])), index, index == chunks.Count - 1, chunks[index].AsMemory(8))
            : null;
    }

    public void InstallSnapshot(SnapshotChunk chunk)
    {
        _batch.Clear();
        if (chunk.Index == 0)
        {
            _batch.DeleteRange(s_all.Start.Memory.ToArray(), s_all.End.Memory.ToArray());
        }

        Fill(chunk.Data);

        // Absent until the last chunk: a crash in between must not leave half a state that looks whole.
        Advance(chunk.IsLast ? chunk.At : new Slot(-1));
        store.Write(_batch);
        if (chunk.IsLast)
        {
            store.Flush();
        }
    }

    /// <summary>What was executed of each client.</summary>
    public IEnumerable<ClientCount> Count()
    {
        var counts = new List<ClientCount>();
        using var cursor = store.Seek(new KeySpan(new Key("c"u8.ToArray()), new Key("d"u8.ToArray())));
        while (cursor.Next())
        {
            counts.Add(new ClientCount
            {
                Client = BinaryPrimitives.ReadInt32BigEndian(cursor.Key[1..]),
                Executed = BinaryPrimitives.ReadInt64BigEndian(cursor.Value[8..]),
                Last = BinaryPrimitives.ReadInt64BigEndian(cursor.Value),
            });
        }

        return counts;
    }

    private void Put(MapCommand command, bool once)
    {
        var key = ClientKey(command.Client);
        var session = store.Get(key);
        var (last, executed) = session is null
            ? (0L, 0L)
            : (BinaryPrimitives.ReadInt64BigEndian(session), BinaryPrimitives.ReadInt64BigEndian(session.AsSpan(8)));
        if (once && command.Sequence <= last)
        {
            return;
        }

        var value = new byte[16];
        BinaryPrimitives.WriteInt64BigEndian(value, Math.Max(last, command.Sequence));
        BinaryPrimitives.WriteInt64BigEndian(value.AsSpan(8), executed + 1);
        _batch.Put(key, value);
        _batch.Put(ValueKey(command.Key), command.Value.ToArray());
    }

    private void Advance(Slot position)
    {
        var value = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(value, position.Value);
        _batch.Put(s_positionKey, value);
        _applied = position;
    }

    private void Fill(ReadOnlyMemory<byte> pairs)
    {
        var reader = new CodecReader(pairs);
        while (reader.Remaining > 0)
        {
            var key = reader.Bytes().ToArray();
            _batch.Put(key, reader.Bytes().ToArray());
        }

        Invariant.Check(!reader.Failed, "SnapshotReadable");
    }

    private List<byte[]> View()
    {
        var writer = new CodecWriter(ChunkBytes);
        var chunks = new List<byte[]>();
        var position = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(position, Applied.Value);
        writer.Raw(position);
        using var cursor = store.Seek(s_all);
        while (cursor.Next())
        {
            if (cursor.Key.SequenceEqual(s_positionKey))
            {
                continue;
            }

            writer.Bytes(cursor.Key);
            writer.Bytes(cursor.Value);
            if (writer.Length > ChunkBytes)
            {
                chunks.Add(writer.ToArray());
                writer.Clear();
                writer.Raw(position);
            }
        }

        chunks.Add(writer.ToArray());
        return chunks;
    }

    private static byte[] ValueKey(Key key) => [ValueKind, .. key.Span];

    private static byte[] ClientKey(int client)
    {
        var key = new byte[5];
        key[0] = ClientKind;
        BinaryPrimitives.WriteInt32BigEndian(key.AsSpan(1), client);
        return key;
    }
}
