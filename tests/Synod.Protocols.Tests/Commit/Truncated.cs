using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Xunit;

namespace Synod.Protocols.Tests.Commit;

/// <summary>What every protocol of atomic commit owes to those who drop its log.</summary>
internal static class Truncated
{
    /// <summary>
    /// The records of a checkpoint bring back all that somebody may ask for: by themselves, after the records that they stand for, and any first
    /// part of them after those. Writes that the store holds come no more.
    /// </summary>
    public static void AssertRecovers<TMessage, TRecord>(
        CommitRoom<TMessage, TRecord> room, Stage<TMessage, TRecord, CommitCommand, CommitResult> play, NodeId node, int unflushed)
        where TMessage : class
        where TRecord : class
    {
        var (now, before) = (((ICommitProtocol)play[node]).Ledger, play.Log(node));
        var outbox = new Outbox<TMessage, TRecord, CommitCommand, CommitResult>();
        play[node].Checkpoint(new Still(), outbox);
        var records = outbox.Records.ToArray();
        TRecord[][] logs =
        [
            records, [.. before, .. records],
            .. Enumerable.Range(0, records.Length).Select(count => (TRecord[])[.. before, .. records[..count]]),
        ];
        foreach (var log in logs)
        {
            var fresh = room.Make(node);
            outbox.Clear();
            fresh.Recover(log, new Still(), outbox);
            var ledger = ((ICommitProtocol)fresh).Ledger;
            Assert.Equal(now.InDoubt, ledger.InDoubt);
            Assert.Equal(now.Applied, ledger.Applied);
            Assert.All(now.Endings, pair => Assert.Equal(pair.Value, ledger.Endings[pair.Key]));
            Assert.Equal(log == records ? unflushed : now.Applied.Value, outbox.Executions.Length);
        }
    }
}
