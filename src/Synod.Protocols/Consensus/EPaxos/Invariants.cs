using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>
/// What holds after every step (epaxos.md §7), at a constant price. Claims about one instance are checked where it is touched:
/// NumberIsFresh, NoAcceptBelowJoined, DecidedOnce, OneInitialProposal, ExecutedIsDecided. Claims about several replicas (agreement,
/// visibility, one order of execution) belong to hosts, which name them as here.
/// </summary>
public sealed partial class EPaxos
{
    /// <summary>Two replicas never commit different values or dependencies for an instance.</summary>
    public const string Agreement = "Agreement";

    /// <summary>Of two committed commands that interfere, one is among the dependencies of the other.</summary>
    public const string Visibility = "Visibility";

    /// <summary>Commands that interfere are executed in the same order everywhere, and each once.</summary>
    public const string ExecutionConsistency = "ExecutionConsistency";

    private Dependencies _executedBefore;

    public override void CheckInvariants()
    {
        foreach (var column in _columns)
        {
            var index = column.Index;
            Invariant.Check(column.Executed >= _executedBefore[index], "ExecutedGrows", $"{column.Member}");
            Invariant.Check(column.Floor <= column.Executed, "DroppedIsExecuted", $"{column.Member}");
            Invariant.Check(column.Executed <= column.Committed, "ExecutedIsCommitted", $"{column.Member}");
            Invariant.Check(column.Committed <= column.Known, "CommittedIsKnown", $"{column.Member}");
        }

        Invariant.Check(
            _columns[_own].Highest <= _next || Mutated(EPaxosMutation.NumbersReused), "OwnNumbersAreOwn", $"{_columns[_own].Highest} {_next}");
        if (HasMoved())
        {
            _executedBefore = Executed;
        }
    }

    private bool HasMoved()
    {
        foreach (var column in _columns)
        {
            if (column.Executed != _executedBefore[column.Index])
            {
                return true;
            }
        }

        return false;
    }
}
