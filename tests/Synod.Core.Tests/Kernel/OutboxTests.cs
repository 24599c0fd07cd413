using Xunit;

namespace Synod.Core.Tests.Kernel;

public sealed class OutboxTests
{
    [Fact]
    public void A_send_waits_for_every_record_persisted_before_it_also_in_earlier_steps()
    {
        var outbox = new Outbox<string, string, string, string>();
        outbox.Send(new NodeId(1), "free");
        outbox.Persist("a");
        outbox.Send(new NodeId(1), "after a");
        outbox.Clear();
        outbox.Send(new NodeId(2), "still after a");
        outbox.Persist("b");
        outbox.Send(NodeSet.Of(new NodeId(1), new NodeId(3)), "after b");
        outbox.SendEarly(new NodeId(1), "early");
        outbox.Answer(new RequestId(1), "after b");
        outbox.AnswerEarly(new RequestId(2), "early");
        Assert.Equal([1, 2, 2, 0], outbox.Messages.ToArray().Select(sent => sent.RecordsBefore));
        Assert.Equal([2, 0], outbox.Answers.ToArray().Select(answer => answer.RecordsBefore));
        Assert.Equal(2, outbox.RecordCount);
    }

    [Fact]
    public void An_instance_put_back_goes_on_counting()
    {
        var outbox = new Outbox<string, string, string, string>(3);
        outbox.Send(new NodeId(1), "after three");
        Assert.Equal(3, outbox.Messages[0].RecordsBefore);
    }

    [Fact]
    public void Clearing_empties_every_kind_of_output()
    {
        var outbox = new Outbox<string, string, string, string>();
        outbox.Persist("a");
        outbox.Send(new NodeId(1), "m");
        outbox.Answer(default, "r");
        outbox.Execute(new Slot(1), "c");
        outbox.SetTimer(new TimerId(1), default);
        outbox.CancelTimer(new TimerId(1));
        outbox.Refuse(Refusal.Duplicate);
        outbox.Clear();
        Assert.Equal(
            0,
            outbox.Records.Length + outbox.Messages.Length + outbox.Answers.Length + outbox.Executions.Length
            + outbox.Timers.Length + outbox.Refusals.Length);
    }

    [Fact]
    public void A_broken_claim_is_named_and_its_detail_built_only_then()
    {
        var built = 0;
        string Detail()
        {
            built++;
            return "seven";
        }

        Invariant.Check(true, "Holds", $"{Detail()}");
        Assert.Equal(0, built);
        var broken = Assert.Throws<InvariantViolation>(() => Invariant.Check(false, "Fails", $"{Detail()} {7}"));
        Assert.Equal("Fails", broken.Invariant);
        Assert.Equal("Invariant 'Fails' is broken: seven 7", broken.Message);
        Assert.Equal("Invariant 'Bare' is broken.", Assert.Throws<InvariantViolation>(() => Invariant.Check(false, "Bare")).Message);
        Assert.Equal("Invariant 'Pair' is broken: 7 and #8", Assert.Throws<InvariantViolation>(() => Invariant.Check(false, "Pair", 7, new Slot(8))).Message);
    }
}
