using Synod.Core;
using Synod.Protocols.Consensus;

namespace Synod.Lab.Worlds.MultiPaxosRoom;

/// <summary>A state machine that remembers every command, with a flushed copy that survives a crash.</summary>
internal sealed class ListState : IReplicatedState
{
    private const int ChunkCommands = 3;

    private readonly SortedDictionary<NodeId, (Slot At, List<KeyValuePair<Slot, string>> View)> _views = [];
    private SortedDictionary<Slot, string> _commands = [];
    private SortedDictionary<Slot, string> _flushed = [];
    private Slot _flushedApplied;
    private SortedDictionary<Slot, string> _arriving = [];

    public Slot Applied { get; private set; }

    /// <summary>Whether a crash during an installation leaves no state, instead of the one from before.</summary>
    public bool WipeReachesDisk { get; set; } = true;

    /// <summary>
    /// Whether an installed snapshot is flushed at once. If not, a crash may bring back the state from before; safe, but then
    /// replicas that installed from one another may all forget, and the group waits for one that did not.
    /// </summary>
    public bool FlushesInstallations { get; set; } = true;

    /// <summary>Snapshots from before it are not taken.</summary>
    public Slot Least { get; set; }

    public IReadOnlyDictionary<Slot, string> Commands => _commands;

    public static ListState Absent() => new() { Applied = new Slot(-1), _flushedApplied = new Slot(-1) };

    public void Apply(Slot slot, ReadOnlyMemory<byte> value)
    {
        Invariant.Check(slot > Applied, "AppliedInOrder", $"{slot} after {Applied}");
        _commands[slot] = Values.Text(value);
        Applied = slot;
    }

    public void Flush()
    {
        _flushed = new SortedDictionary<Slot, string>(_commands);
        _flushedApplied = Applied;
    }

    public void Crash()
    {
        _views.Clear();
        _arriving = [];
        _commands = new SortedDictionary<Slot, string>(_flushed);
        Applied = _flushedApplied;
    }

    public SnapshotChunk? ReadSnapshot(NodeId reader, int index)
    {
        if (index == 0)
        {
            _views[reader] = (Applied, [.. _commands]);
        }
        else if (!_views.ContainsKey(reader))
        {
            return null;
        }

        var (at, view) = _views[reader];
        var writer = new CodecWriter();
        var part = view.Skip(index * ChunkCommands).Take(ChunkCommands).ToList();
        writer.Unsigned((ulong)part.Count);
        foreach (var (slot, text) in part)
        {
            writer.Slot(slot);
            writer.String(text);
        }

        return new SnapshotChunk(at, index, (index + 1) * ChunkCommands >= view.Count, writer.ToArray());
    }

    public bool Takes(SnapshotChunk first) => first.At >= Least;

    public void InstallSnapshot(SnapshotChunk chunk)
    {
        if (chunk.Index == 0)
        {
            _arriving = [];
            _commands = [];
            Applied = new Slot(-1);
            if (WipeReachesDisk)
            {
                Flush();
            }
        }

        var reader = new CodecReader(chunk.Data);
        for (var count = reader.Count(); count > 0; count--)
        {
            _arriving[reader.Slot()] = reader.String();
        }

        Invariant.Check(reader.IsComplete, "SnapshotReadable");
        if (chunk.IsLast)
        {
            (_commands, _arriving) = (_arriving, []);
            Applied = chunk.At;
            if (FlushesInstallations || _flushedApplied < Slot.None)
            {
                Flush();
            }
        }
    }

    /// <summary>Forgets the view that <paramref name="reader"/> reads from.</summary>
    public void CloseView(NodeId reader) => _views.Remove(reader);
}

/// <summary>Commands here are short texts.</summary>
internal static class Values
{
    public static ReadOnlyMemory<byte> Of(string text) => System.Text.Encoding.UTF8.GetBytes(text);

    public static string Text(ReadOnlyMemory<byte> value) => System.Text.Encoding.UTF8.GetString(value.Span);
}
