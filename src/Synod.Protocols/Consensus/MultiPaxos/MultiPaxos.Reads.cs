using System.Runtime.InteropServices;
using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>ReadIndex (paxos.md §5): reads without clocks, many to a heartbeat round.</summary>
public sealed partial class MultiPaxos
{
    /// <summary>A read that waits: for its round (0: not begun), then for its slot.</summary>
    private record struct PendingRead(RequestId Request, Slot Index, long Round);

    private readonly List<PendingRead> _reads = [];

    // The round that reads wait for, or 0; and the highest that a quorum has acknowledged.
    private long _readRound;
    private long _confirmedRound;

    private void OnReadIndex(RequestId request)
    {
        Wake();
        if (Role != PaxosRole.Leader)
        {
            _out.AnswerEarly(request, new Result.NotLeader(Leader));
            return;
        }

        // Everything that earlier leaders got chosen lies below the barrier.
        var index = Mutated(MultiPaxosMutation.NoBarrier) ? Chosen : Slot.Max(Chosen, _barrier);
        _reads.Add(new PendingRead(request, index, 0));
        if (_readRound == 0)
        {
            StartReadRound();
            CompleteReads();
        }
    }

    /// <summary>A round that begins now confirms, for every read that waits, leadership at an instant after the read began.</summary>
    private void StartReadRound()
    {
        Beat(askLease: false);
        _readRound = _round;
        foreach (ref var read in CollectionsMarshal.AsSpan(_reads))
        {
            read.Round = read.Round == 0 ? _round : read.Round;
        }
    }

    private void CompleteReads()
    {
        while (_readRound != 0 && _quorums.IsPhase2(Acknowledging(_readRound)))
        {
            _confirmedRound = _readRound;
            _readRound = 0;
            if (_reads.Exists(static read => read.Round == 0))
            {
                StartReadRound();
            }
        }

        for (var index = 0; index < _reads.Count;)
        {
            var read = _reads[index];
            if (read.Round == 0 || read.Round > _confirmedRound || Executed < read.Index)
            {
                index++;
                continue;
            }

            // Early is safe: the answer rests on chosen slots and others' acknowledgements, not on records of this node.
            _out.AnswerEarly(read.Request, new Result.ReadReady(LastCommand < read.Index ? LastCommand : read.Index));
            _reads.RemoveAt(index);
        }
    }

    private NodeSet Acknowledging(long round)
    {
        var nodes = NodeSet.Of(_self);
        foreach (var peer in _peers)
        {
            if (peer.Round >= round)
            {
                nodes = nodes.With(peer.Node);
            }
        }

        return nodes;
    }

    private void EndReads(NodeId successor)
    {
        foreach (var read in _reads)
        {
            _out.AnswerEarly(read.Request, new Result.NotLeader(successor));
        }

        _reads.Clear();
        _readRound = 0;
        _confirmedRound = 0;
    }
}
