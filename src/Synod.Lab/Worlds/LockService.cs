using System.Globalization;
using System.Text;
using Synod.Core;
using Synod.Protocols.Snapshots;

namespace Synod.Lab.Worlds;

/// <summary>
/// A node with one lock, and one transaction that takes locks of others. Commands are <c>lock 2</c> and <c>release 2</c>; messages
/// <c>request</c>, <c>release</c> and <c>grant</c>; a state is the holder and the queue: <c>1|2.1,3.2|2</c>.
/// </summary>
public sealed class LockService : IApplication
{
    private readonly List<(NodeId Waiter, long Instance)> _queue = [];
    private long _instances;

    /// <summary>Whose transaction holds the lock, or none.</summary>
    public NodeId Holder { get; private set; }

    public static ReadOnlyMemory<byte> Command(string verb, NodeId manager) =>
        Text(string.Create(CultureInfo.InvariantCulture, $"{verb} {manager.Value}"));

    /// <summary>
    /// Who waits for whom in a cut. Releases in the channels have taken effect; a request in a channel waits if the lock is held, and
    /// for nobody otherwise, since it may be the first to arrive.
    /// </summary>
    public static WaitForGraph<NodeId> Waits(Cut cut)
    {
        var waits = new SortedDictionary<NodeId, Wait<NodeId>>();
        foreach (var piece in cut.Pieces)
        {
            var manager = Load(piece.State);
            foreach (var channel in piece.Incoming.Where(channel => channel.Contents.Any(message => Is(message.Body, "release"))))
            {
                manager.Release(channel.From, static (_, _) => true);
            }

            foreach (var channel in piece.Incoming.Where(
                channel => manager.Holder != NodeId.None && channel.Contents.Any(message => Is(message.Body, "request"))))
            {
                manager._queue.Add((channel.From, ++manager._instances));
            }

            manager.AddWaits(waits);
        }

        return Graph(waits);
    }

    /// <summary>What comes of putting states of different times together and looking at no channel: cycles that never were.</summary>
    public static WaitForGraph<NodeId> NaiveUnion(IEnumerable<ReadOnlyMemory<byte>> states)
    {
        var waits = new SortedDictionary<NodeId, Wait<NodeId>>();
        foreach (var state in states)
        {
            Load(state).AddWaits(waits);
        }

        return Graph(waits);
    }

    public void Receive(NodeId from, ReadOnlyMemory<byte> message, Sending send)
    {
        if (Is(message, "request"))
        {
            Request(from, send);
        }
        else if (Is(message, "release"))
        {
            Release(from, send);
        }
    }

    public ReadOnlyMemory<byte> Submit(ReadOnlyMemory<byte> command, Sending send)
    {
        var parts = Encoding.UTF8.GetString(command.Span).Split(' ');
        var isSent = parts.Length == 2 && parts[0] is "lock" or "release"
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var manager)
            && send(new NodeId(manager), Text(parts[0] == "lock" ? "request" : "release"));
        return Text(isSent ? "sent" : "refused");
    }

    public ReadOnlyMemory<byte> Save() => Text(string.Create(
        CultureInfo.InvariantCulture,
        $"{Holder.Value}|{string.Join(',', _queue.Select(item => string.Create(CultureInfo.InvariantCulture, $"{item.Waiter.Value}.{item.Instance}")))}|{_instances}"));

    public bool TryLoad(ReadOnlyMemory<byte> state)
    {
        var parts = Encoding.UTF8.GetString(state.Span).Split('|');
        if (parts.Length != 3 || !int.TryParse(parts[0], out var holder) || !long.TryParse(parts[2], out var instances))
        {
            return false;
        }

        var queue = new List<(NodeId, long)>();
        foreach (var item in parts[1].Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var fields = item.Split('.');
            if (fields.Length != 2 || !int.TryParse(fields[0], out var waiter) || !long.TryParse(fields[1], out var instance))
            {
                return false;
            }

            queue.Add((new NodeId(waiter), instance));
        }

        (Holder, _instances) = (new NodeId(holder), instances);
        _queue.Clear();
        _queue.AddRange(queue);
        return true;
    }

    private void Request(NodeId from, Sending send)
    {
        if (Holder == NodeId.None)
        {
            Holder = from;
            send(from, Text("grant"));
        }
        else
        {
            _queue.Add((from, ++_instances));
        }
    }

    private void Release(NodeId from, Sending send)
    {
        if (Holder != from)
        {
            return;
        }

        Holder = NodeId.None;
        if (_queue.Count > 0)
        {
            Holder = _queue[0].Waiter;
            _queue.RemoveAt(0);
            send(Holder, Text("grant"));
        }
    }

    private void AddWaits(SortedDictionary<NodeId, Wait<NodeId>> waits)
    {
        foreach (var (waiter, instance) in _queue.Where(item => item.Waiter != Holder))
        {
            waits[waiter] = waits.TryGetValue(waiter, out var wait)
                ? wait with { For = [.. wait.For, Holder] }
                : new Wait<NodeId>(waiter, instance, WaitKind.All, [Holder]);
        }
    }

    private static WaitForGraph<NodeId> Graph(SortedDictionary<NodeId, Wait<NodeId>> waits)
    {
        var graph = new WaitForGraph<NodeId>();
        foreach (var wait in waits.Values)
        {
            graph.Add(wait);
        }

        return graph;
    }

    private static LockService Load(ReadOnlyMemory<byte> state)
    {
        var manager = new LockService();
        Invariant.Check(manager.TryLoad(state), ChandyLamport.StatesLoad);
        return manager;
    }

    private static bool Is(ReadOnlyMemory<byte> message, string word) => Encoding.UTF8.GetString(message.Span) == word;

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);
}
