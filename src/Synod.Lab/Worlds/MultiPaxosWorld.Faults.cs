using Synod.Core;
using Synod.Lab.Worlds.MultiPaxosRoom;
using Synod.Protocols.Consensus;
using static Synod.Protocols.Consensus.MultiPaxos;

namespace Synod.Lab.Worlds;

/// <summary>What happens to the replicas and to the links between them.</summary>
internal sealed partial class MultiPaxosWorld
{
    private void Fault()
    {
        if (!_faults)
        {
            return;
        }

        In(Random.Below(_stormy ? 12_000 : 40_000) * 1_000L, Fault);
        var replica = Replicas.Values.ElementAt(Random.Below(Replicas.Count));
        switch (Random.Below(12))
        {
            case 9 or 10 when replica.IsUp && _stormy:
                Submit(replica.Id.Value, new Command.Campaign());
                break;
            case 0 or 1:
                Restart(Replicas.Values.FirstOrDefault(other => other.IsUp && _stormy && other.UndurableCount > 0) ?? replica);
                break;
            case 2:
                _side = NodeSet.FromBits((UInt128)Random.Below(256));
                In(Random.Below(300) * Millisecond, () => _side = NodeSet.Empty);
                break;
            case 11:
                CutLink();
                break;
            case 3 when _paused.Add(replica.Id):
                In(Random.Below(500) * Millisecond, () => _paused.Remove(replica.Id));
                break;
            case 4 when replica.IsUp:
                replica.State.Flush();
                break;
            case 5 when replica.IsUp:
                Checkpoint(replica);
                break;
            case 6:
                replica.Skew = DrawSkew();
                break;
            case 7 when replica.IsUp:
                replica.Clone();
                break;
            case 8 when replica.IsUp:
                Submit(replica.Id.Value, Random.Below(2) == 0
                    ? new Command.PeerDown(new NodeId(Random.Below(Replicas.Count) + 1))
                    : new Command.PeerUp(new NodeId(Random.Below(Replicas.Count) + 1)));
                break;
            default:
                break;
        }
    }

    private void Restart(Replica replica)
    {
        if (replica.IsUp)
        {
            Crashes++;
            replica.Crash(Random.Below(2) == 0 ? 0 : Random.Below(replica.UndurableCount + 1));
            replica.State.WipeReachesDisk = Random.Below(2) == 0;
            _syncing.Remove(replica.Id);
            In(Random.Below(_stormy ? 20 : 200) * Millisecond, () => Revive(replica));
        }
    }

    private void Revive(Replica replica)
    {
        if (!replica.IsUp)
        {
            replica.Start();
            if (_stormy && _faults && Random.Below(3) == 0)
            {
                Submit(replica.Id.Value, new Command.Campaign());
            }
        }
    }

    private void Checkpoint(Replica replica)
    {
        if (!_checkpointing.Add((replica.Id, replica.Life)))
        {
            return;
        }

        replica.BeginCheckpoint();
        replica.State.Flush();
        var life = replica.Life;
        In(Random.Below(20) * Millisecond, () =>
        {
            if (replica.IsUp && replica.Life == life)
            {
                replica.Checkpoint(keepOld: Random.Below(3) == 0);
                _checkpointing.Remove((replica.Id, life));
            }
        });
    }

    private bool Cut(NodeId from, NodeId to) =>
        _cutLinks.Contains((from, to)) || (!_side.IsEmpty && _side.Contains(from) != _side.Contains(to));

    /// <summary>Two nodes cannot reach each other, or only one way, while both reach the rest.</summary>
    private void CutLink()
    {
        var leader = Replicas.Values.FirstOrDefault(replica => replica.IsUp && replica.Paxos.Role == PaxosRole.Leader);
        var from = leader?.Id ?? Replicas.Keys.ElementAt(Random.Below(Replicas.Count));
        var to = Replicas.Keys.ElementAt(Random.Below(Replicas.Count));
        _cutLinks.Add((from, to));
        if (Random.Below(2) == 0)
        {
            _cutLinks.Add((to, from));
        }

        In(Random.Below(_stormy ? 150 : 300) * Millisecond, _cutLinks.Clear);
    }
}
