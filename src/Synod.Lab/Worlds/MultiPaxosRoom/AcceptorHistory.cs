using Synod.Core;
using static Synod.Protocols.Consensus.MultiPaxos;

namespace Synod.Lab.Worlds.MultiPaxosRoom;

/// <summary>
/// What acceptors ever wrote and told, whatever they forgot since: from it follows what was chosen, and whether they keep their word.
/// </summary>
internal sealed class AcceptorHistory(QuorumSystem quorums)
{
    private readonly Dictionary<(Slot Slot, Ballot Ballot, string Text), NodeSet> _voters = [];
    private readonly HashSet<(Slot Slot, string Text)> _chosen = [];
    private readonly Dictionary<NodeId, (Ballot Ballot, int Life)> _promised = [];

    /// <summary>A record has become durable.</summary>
    public void Wrote(NodeId node, Record record)
    {
        if (record is Record.Accepted accepted)
        {
            var text = Values.Text(accepted.Value);
            var vote = (accepted.Slot, accepted.Ballot, text);
            var voters = _voters[vote] = _voters.GetValueOrDefault(vote).With(node);
            if (quorums.IsPhase2(voters))
            {
                _chosen.Add((accepted.Slot, text));
            }
        }
    }

    /// <summary>A message has left. After a restart no acceptor votes below what it promised before (paxos.md §3.1).</summary>
    public void Told(NodeId node, int life, Message message)
    {
        var known = _promised.GetValueOrDefault(node);
        if (message is Message.Promise promise && promise.Ballot > known.Ballot)
        {
            _promised[node] = (promise.Ballot, life);
        }
        else if (message is Message.Accepted vote)
        {
            Invariant.Check(
                vote.Ballot >= known.Ballot || life == known.Life,
                "PromiseKept",
                $"{node} votes in {vote.Ballot}, and promised {known.Ballot} before it restarted");
        }
    }

    /// <summary>Whether a replicating quorum accepted the value in one ballot.</summary>
    public bool IsChosen(Slot slot, string text) => _chosen.Contains((slot, text));
}
