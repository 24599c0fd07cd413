using Synod.Core;
using static Synod.Protocols.Consensus.MultiPaxos;

namespace Synod.Lab.Worlds.MultiPaxosRoom;

/// <summary>Every acceptance that was ever on a disk, whatever was forgotten since: what was chosen, seen from outside.</summary>
internal sealed class Votes(QuorumSystem quorums)
{
    private readonly Dictionary<(Slot Slot, Ballot Ballot, string Text), NodeSet> _voters = [];
    private readonly HashSet<(Slot Slot, string Text)> _chosen = [];

    public void Add(NodeId node, Record record)
    {
        if (record is Record.Accepted accepted)
        {
            var vote = (accepted.Slot, accepted.Ballot, Values.Text(accepted.Value));
            var voters = _voters[vote] = _voters.GetValueOrDefault(vote).With(node);
            if (quorums.IsPhase2(voters))
            {
                _chosen.Add((vote.Slot, vote.Item3));
            }
        }
    }

    /// <summary>Whether a replicating quorum accepted the value in one ballot.</summary>
    public bool IsChosen(Slot slot, string text) => _chosen.Contains((slot, text));
}
