using Synod.Core;
using Synod.Lab.Scenarios.Commit;
using Synod.Protocols.Commit;

namespace Synod.Lab.Costs;

/// <summary>What one committed transaction cost in a run without faults, where only messages take time.</summary>
/// <param name="Messages">Between different nodes, by name.</param>
/// <param name="Answered">When the client was told.</param>
/// <param name="Known">When the last participant had the outcome on its disk.</param>
/// <param name="Forgotten">When no node led it any more.</param>
/// <param name="Forced">Records that a message or answer waited for, by name.</param>
internal sealed record CommitCount(
    IReadOnlyDictionary<string, long> Messages, Duration Answered, Duration Known, Duration Forgotten, IReadOnlyDictionary<string, long> Forced)
{
    public long All => Messages.Values.Sum();

    /// <summary>Messages but for those of some names.</summary>
    public long But(params ReadOnlySpan<string> names)
    {
        var sum = All;
        foreach (var name in names)
        {
            sum -= Messages.GetValueOrDefault(name);
        }

        return sum;
    }

    /// <param name="bill">The protocol.</param>
    /// <param name="nodes">How many; node 1 begins.</param>
    /// <param name="participants">Who writes.</param>
    /// <param name="delay">Of each link.</param>
    /// <param name="refuses">A participant that says no; none if all agree.</param>
    public static CommitCount Of<TMessage, TRecord>(
        Playbill<TMessage, TRecord> bill,
        int nodes,
        IReadOnlyList<NodeId> participants,
        Func<NodeId, NodeId, Duration> delay,
        NodeId refuses = default)
        where TMessage : class
        where TRecord : class
    {
        var names = Enumerable.Range(1, nodes).Select(id => $"n{id}").ToList();
        var cast = new CommitCast<TMessage, TRecord>(bill, 1, names, delay: delay, sync: Duration.Zero);
        var stage = cast.Stage;

        // The first transaction of a life claims an epoch, which is no transaction's own cost.
        cast.BeginOn(participants);
        stage.RunUntil(Duration.FromSeconds(5));
        var id = new TransactionId(cast.First.Coordinator, cast.First.Epoch, 2);
        if (refuses != NodeId.None)
        {
            stage.Submit(refuses, new CommitCommand.Veto(id));
            stage.RunUntil(Duration.FromSeconds(6));
        }

        var begun = stage.Now;
        var (messages, forced) = (new SortedDictionary<string, long>(StringComparer.Ordinal), new SortedDictionary<string, long>(StringComparer.Ordinal));
        var (answered, known, forgotten) = (Duration.Zero, Duration.Zero, Duration.Zero);
        stage.Sent = (_, _, message) => Count(messages, message.GetType().Name);
        stage.Stepped = (_, outbox) =>
        {
            var first = outbox.RecordCount - outbox.Records.Length;
            long awaited = 0;
            foreach (ref readonly var sent in outbox.Messages)
            {
                awaited = Math.Max(awaited, sent.RecordsBefore);
            }

            foreach (ref readonly var told in outbox.Answers)
            {
                awaited = Math.Max(awaited, told.RecordsBefore);
            }

            for (var index = 0; index < outbox.Records.Length && first + index < awaited; index++)
            {
                Count(forced, outbox.Records[index].GetType().Name);
            }
        };
        cast.BeginOn(participants, tag: 2);
        stage.RunUntil(() => cast.Told(2) is not null, begun + Duration.FromSeconds(5));
        answered = stage.Now - begun;
        stage.RunUntil(() => participants.All(node => cast.Witness(id).EndingOn(node) is not null), begun + Duration.FromSeconds(5));
        known = cast.Witness(id).Ended.Select(item => item.At).DefaultIfEmpty(begun).Max() - begun;
        stage.RunUntil(() => cast.Nodes.All(node => ((ICommitProtocol)stage[node]!).Open.Count == 0), begun + Duration.FromSeconds(5));
        forgotten = stage.Now - begun;
        stage.RunUntil(begun + Duration.FromSeconds(6));
        return new(messages, answered, known, forgotten, forced);

        static void Count(SortedDictionary<string, long> counts, string name) => counts[name] = counts.GetValueOrDefault(name) + 1;
    }
}
