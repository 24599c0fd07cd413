using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Xunit;

namespace Synod.Protocols.Tests.Commit;

/// <summary>Binary forms of what the rooms share, and of two-phase commit.</summary>
public sealed class WireTests
{
    private static readonly TransactionId Id = new(new(1), 2, 3);
    private static readonly NodeSet Two = NodeSet.Of(new NodeId(2), new NodeId(3));

    [Fact]
    public void Every_command_and_result_survives_its_binary_form()
    {
        var begin = CommitModels.Begin(Two);
        WireChecks.All<CommitCommand>(
            new CommitCommandWire(),
            begin,
            new CommitCommand.Open(),
            new CommitCommand.Enlist(Id, begin.Branches[0].Writes),
            new CommitCommand.Enlist(Id, []),
            new CommitCommand.Commit(Id),
            new CommitCommand.Veto(Id),
            new CommitCommand.Suspect(new(2)),
            new CommitCommand.Apply(Id, begin.Branches[0].Writes));
        WireChecks.All<CommitResult>(
            new CommitResultWire(),
            new CommitResult.Opened(Id),
            new CommitResult.Enlisted(Id),
            new CommitResult.NotOpen(Id),
            new CommitResult.Committed(Id),
            new CommitResult.Aborted(Id),
            new CommitResult.Malformed(),
            new CommitResult.Vetoed(Id),
            new CommitResult.TooLate(Id));
    }

    [Fact]
    public void Every_message_and_record_of_two_phase_commit_survives_its_binary_form()
    {
        var writes = CommitModels.Begin(Two).Branches[0].Writes;
        WireChecks.All<TwoPhase.Message>(
            new TwoPhase.MessageWire(),
            new TwoPhase.Message.Prepare(Id, Id, Two, 0, writes),
            new TwoPhase.Message.Prepare(Id, Id, Two, 7, []),
            new TwoPhase.Message.CommitAlone(Id, Id, 0, writes),
            new TwoPhase.Message.CommitAlone(Id, Id, 7, []),
            new TwoPhase.Message.DecidedAlone(Id),
            new TwoPhase.Message.Vote(Id, Choice.ReadOnly),
            new TwoPhase.Message.Decide(Id, true),
            new TwoPhase.Message.Ack(Id),
            new TwoPhase.Message.Inquire(Id),
            new TwoPhase.Message.Outcome(Id, Ending.Aborted),
            new TwoPhase.Message.Join(Id, 7, true),
            new TwoPhase.Message.Joined(Id, 7),
            new TwoPhase.Message.Closed(Id));
        WireChecks.All<TwoPhase.Record>(
            new TwoPhase.RecordWire(),
            new TwoPhase.Record.Booted(3),
            new TwoPhase.Record.Prepared(new Promise(Id, Two, writes)),
            new TwoPhase.Record.CommittedAlone(new Promise(Id, NodeSet.Empty, writes)),
            new TwoPhase.Record.Committed(Id),
            new TwoPhase.Record.Aborted(Id),
            new TwoPhase.Record.Decided(Id, Two),
            new TwoPhase.Record.Ended(Id),
            new TwoPhase.Record.Flushed(new Slot(3)),
            new TwoPhase.Record.Past([Id]));
    }
}
