using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class PaxosCommit
{
    /// <summary>
    /// An acceptor votes in no ballot above the one that it promised, and for managers of the transaction only. Checked where an acceptance
    /// is written: there is one for every transaction.
    /// </summary>
    public const string VotesAreKept = nameof(VotesAreKept);

    /// <summary>A manager waits for exactly what it has promised.</summary>
    public const string PromisesAreWatched = nameof(PromisesAreWatched);

    /// <summary>
    /// What a majority of acceptors accepted in one ballot is the same in every ballot above it. Over several nodes, so hosts check it.
    /// </summary>
    public const string OneValueChosen = nameof(OneValueChosen);

    /// <summary>Nobody is in doubt about what an acceptor has forgotten. Over several nodes, so hosts check it.</summary>
    public const string ForgottenIsOver = nameof(ForgottenIsOver);

    public override void CheckInvariants()
    {
        Ledger.CheckInvariants();
        foreach (var id in Ledger.InDoubt)
        {
            Invariant.Check(_attempts.ContainsKey(id), PromisesAreWatched, $"{id}");
        }
    }

    /// <summary>Whether no acceptor among <paramref name="nodes"/> has forgotten what one of them has promised and not ended.</summary>
    public static bool ForgetWhatIsOver(IReadOnlyCollection<PaxosCommit> nodes) => nodes.All(node => node.Ledger.Promises.All(promise =>
        nodes.All(acceptor => !acceptor.IsOver(promise.Transaction, promise.Members, NodeId.None))));

    /// <summary>Whether an outcome that a majority of <paramref name="nodes"/> has accepted is the one that any of them knows.</summary>
    public static bool ChoiceIsKept(IReadOnlyCollection<PaxosCommit> nodes)
    {
        foreach (var id in nodes.SelectMany(node => node._acceptances.Keys).Distinct())
        {
            foreach (var votes in nodes
                .Where(node => node._acceptances.ContainsKey(id))
                .Select(node => node._acceptances[id])
                .Where(acceptance => acceptance.Voted != Ballot.None || IsCommit(acceptance.Members, acceptance.Prepared))
                .GroupBy(acceptance => acceptance.Voted))
            {
                var commit = IsCommit(votes.First().Members, votes.First().Prepared);
                if (votes.Count() >= nodes.First()._options.Majority
                    && nodes.Any(node => node.Ledger.EndingOf(id) == (commit ? Ending.Aborted : Ending.Committed)))
                {
                    return false;
                }
            }
        }

        return true;
    }
}
