using Synod.Core;

namespace Synod.Lab.Worlds;

/// <summary>For protocols that wrap another and change nothing but its messages and answers.</summary>
internal static class Outputs
{
    /// <summary>Everything else that a step put out: records, timers, executions and refusals.</summary>
    public static void PassOn<TInner, TOuter, TRecord, TCommand, TResult>(
        this Outbox<TInner, TRecord, TCommand, TResult> inner, Outbox<TOuter, TRecord, TCommand, TResult> outer)
    {
        foreach (var record in inner.Records)
        {
            outer.Persist(record);
        }

        foreach (var change in inner.Timers)
        {
            if (change.Set)
            {
                outer.SetTimer(change.Timer, change.Due);
            }
            else
            {
                outer.CancelTimer(change.Timer);
            }
        }

        foreach (var executed in inner.Executions)
        {
            outer.Execute(executed.Position, executed.Command);
        }

        foreach (var refusal in inner.Refusals)
        {
            outer.Refuse(refusal);
        }
    }
}
