using Synod.Core;
using Synod.Protocols.Gossip.AntiEntropy;

namespace Synod.Lab.Worlds;

/// <summary>What befalls disks and replicas beyond crashes, one at a time.</summary>
public sealed partial class ConvergentWorld
{
    private readonly SortedDictionary<NodeId, DiskBackup> _backups = [];

    // Disks that were put back, until a while after their node has started.
    private readonly SortedDictionary<NodeId, Duration> _restored = [];
    private IEnumerator<Duration>? _mishap;
    private Duration _next;

    /// <summary>Moves what is going on a step on when it is time, and begins something now and then.</summary>
    private void Mishap(bool mayBegin)
    {
        foreach (var node in _restored.Where(pair => _cluster.IsUp(pair.Key) && pair.Value < _world.Elapsed).Select(pair => pair.Key).ToList())
        {
            _restored.Remove(node);
        }

        if (_mishap is null && mayBegin && _random.Below(60) == 0)
        {
            var node = s_nodes[_random.Below(s_nodes.Length)];
            _mishap = _random.Below(4) switch
            {
                0 => Wipe(node),
                1 => BackUp(node),
                2 => Restore(node),
                _ => Fence(node),
            };
        }

        if (_mishap is not null && _world.Elapsed >= _next)
        {
            if (_mishap.MoveNext())
            {
                _next = _world.Elapsed + _mishap.Current;
            }
            else
            {
                _mishap = null;
            }
        }
    }

    /// <summary>A disk is replaced by an empty one.</summary>
    private IEnumerator<Duration> Wipe(NodeId node)
    {
        GiveUp(node);
        _cluster[node].Wipe();
        Wiped++;
        yield return Milliseconds(100, 1_500);
        _cluster.StartAfter(node, Duration.Zero);
        yield return Milliseconds(500, 1_500);
    }

    /// <summary>A disk is copied while its node is down.</summary>
    private IEnumerator<Duration> BackUp(NodeId node)
    {
        _cluster.Crash(node);
        _backups[node] = DiskBackup.Of(_cluster.Log(node).Disk);
        _cluster.StartAfter(node, Duration.Zero);
        yield return Milliseconds(10, 500);
    }

    /// <summary>A disk is put back as it was when it was copied.</summary>
    private IEnumerator<Duration> Restore(NodeId node)
    {
        if (!_backups.TryGetValue(node, out var backup))
        {
            yield break;
        }

        GiveUp(node);
        _cluster[node].Wipe();
        backup.PutOn(_cluster.Log(node).Disk);
        _restored[node] = Duration.FromSeconds(1_000_000);
        Restored++;
        yield return Milliseconds(100, 1_500);
        _cluster.StartAfter(node, Duration.Zero);
        while (!_cluster.IsUp(node))
        {
            yield return Milliseconds(100, 200);
        }

        // Its new name is durable by then, whatever the next start finds.
        _restored[node] = _world.Elapsed + Duration.FromSeconds(2);
        yield return Milliseconds(500, 1_500);
    }

    /// <summary>A replica is given up while it is down. It comes back not knowing it, and hears of it after a while.</summary>
    private IEnumerator<Duration> Fence(NodeId node)
    {
        if (_cluster[node].Protocol is not DeltaSync replica)
        {
            yield break;
        }

        // It works on by itself for a while, so that it has what nobody else has.
        var cut = s_nodes.Where(other => other != node).ToList();
        cut.ForEach(other => _cluster.Network.Block(node.Value, other.Value));
        cut.ForEach(other => _cluster.Network.Block(other.Value, node.Value));
        yield return Milliseconds(200, 600);
        _told.TryAdd(node, _roster);
        GiveUp(node);
        _fenced.Add(replica.Self);
        _roster = new Roster(_roster.Epoch + 1, _roster.Members.Remove(node), _roster.Fence(replica.Self).Fenced);
        Fenced++;
        for (var tell = 0; tell < 5; tell++)
        {
            cut.ForEach(other => Tell(other));
            yield return Milliseconds(200, 400);
        }

        while (cut.Exists(other => _told.GetValueOrDefault(other)?.Epoch != _roster.Epoch))
        {
            cut.ForEach(other => Tell(other));
            yield return Milliseconds(100, 200);
        }

        _roster = Roster.Of(s_nodes) with { Epoch = _roster.Epoch + 1, Fenced = _roster.Fenced };
        cut.ForEach(other => _cluster.Network.Unblock(node.Value, other.Value));
        cut.ForEach(other => _cluster.Network.Unblock(other.Value, node.Value));
        while (cut.Exists(other => _told.GetValueOrDefault(other)?.Epoch != _roster.Epoch))
        {
            cut.ForEach(other => Tell(other));
            yield return Milliseconds(100, 200);
        }

        _cluster.StartAfter(node, Duration.Zero);
        yield return Milliseconds(300, 600);
        while (_told.GetValueOrDefault(node)?.Epoch != _roster.Epoch)
        {
            Tell(node);
            yield return Milliseconds(100, 200);
        }
    }

    private void Tell(NodeId node) => _cluster.Submit(node, new DeltaSync.Command.Configure(_roster), this, -_roster.Epoch);

    /// <summary>A node goes down, and nobody counts on what it alone may have had.</summary>
    private void GiveUp(NodeId node)
    {
        _cluster.Crash(node);
        foreach (var id in _acknowledged.Where(pair => pair.Value.Node == node).Select(pair => pair.Key).ToList())
        {
            _acknowledged.Remove(id);
        }
    }

    private Duration Milliseconds(long least, long most) => Duration.FromMilliseconds(_random.Between(least, most));
}
