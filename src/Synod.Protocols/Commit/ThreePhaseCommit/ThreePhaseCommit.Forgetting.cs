using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class ThreePhaseCommit
{
    /// <summary>
    /// Of this node's transactions those before it are decided here, or were led in an earlier life. Either way their coordinator collects no
    /// votes any more: a vote that is still asked for can only come to nothing.
    /// </summary>
    private TransactionId Oldest => _registrar.Oldest(_led.Keys.First());

    /// <summary>
    /// Takes what the coordinator has heard of other writers' marks, and moves the own one up to its oldest transaction, but over none that is
    /// in doubt here. Before the mark this node votes on nothing any more.
    /// </summary>
    /// <returns>What a Yes says to be over here, once its record is durable.</returns>
    private TransactionId Settle(Message.CanCommit canCommit)
    {
        foreach (var settlement in canCommit.Settled)
        {
            _settled.Note(settlement);
        }

        var mark = Ledger.Bar(canCommit.Oldest);
        _settled.Note(new Settlement(_self, mark));
        _enlistments.ForgetBefore(mark, _out);
        ForgetWhatIsOver(mark.Coordinator);
        return _mutation == ThreePhaseCommitMutation.SettleInDoubt ? canCommit.Oldest : mark;
    }

    private void ForgetWhatIsOver(NodeId coordinator)
    {
        foreach (var id in Ledger.Endings.Keys.Union(_decisions.Keys).Where(id => id.Coordinator == coordinator && IsOver(id)).ToArray())
        {
            Ledger.Forget(id);
            _decisions.Remove(id);
            _writers.Remove(id);
        }
    }

    /// <summary>
    /// How it ended is needed as long as a writer may be in doubt about it. A tombstone has no writers, since this node heard of none. It is
    /// needed until the mark stands for it: nothing that this node has not voted on can have committed, as long as it never votes on it.
    /// </summary>
    private bool IsOver(TransactionId id) =>
        _writers.TryGetValue(id, out var writers) && _mutation != ThreePhaseCommitMutation.ForgetTooEarly
            ? writers.All(writer => _settled.IsOver(id, writer))
            : _settled.IsOver(id, _self);
}
