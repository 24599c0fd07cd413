using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Xunit;
using static Synod.Lab.Worlds.HotStuffGroup;
using static Synod.Protocols.Tests.HotStuffRoom.Staging;

namespace Synod.Protocols.Tests.HotStuffRoom;

/// <summary>Input that is malformed, forged or stale is refused and counted, and changes nothing (hotstuff.md §2, §9).</summary>
public sealed class RefusalTests
{
    private static readonly NodeSet Three = NodeSet.Of(N1, N2, N3);

    private readonly HotStuffGroup _group = Of(4, new JolteonRules()).With(options => options with { MaxCommands = 1, MaxPayload = 4 });

    public static TheoryData<string> Cases() =>
    [
        "not a member", "not the leader", "view zero", "parent above", "too many commands", "payload too long", "unsigned command",
        "command signed by another", "wrong phase of parent", "two signers", "one signer three times", "signature of another block",
        "certificate of a stranger", "two gave up", "gave up in disorder", "gave up twice", "time-out of a stranger", "view of a time-out changed",
        "certificate of a time-out not shown",
        "unproven view", "decision where there is none", "vote for another collector", "vote in a phase that is none", "vote forged",
        "vote for view zero", "time-out forged", "time-out that understates", "time-out ahead", "report to another leader", "report forged",
        "stale sync", "forged sync", "fetch of nothing", "blocks that nobody asked for", "certified by hand",
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void It_is_refused(string name)
    {
        var (from, message, refusal) = Case(name);
        var play = _group.Stage();
        var before = State(play);
        play.Receive(from, N3, message);
        Assert.Equal([refusal], play.Refusals(N3));
        Assert.Equal(before, State(play));
        Assert.Empty(play.Log(N3));
        Assert.Empty(play.Network);
    }

    [Fact]
    public void What_is_above_would_be_taken_if_it_were_sound()
    {
        var play = _group.Stage();
        play.Receive(N1, N3, Propose(First()));
        play.Receive(N2, N3, Propose(Child(Certified(), 2), TimeoutCertificate.None));
        play.Receive(N3, N3, Propose(Child(Certified(), 3), _group.GiveUp(2, (N1, 1), (N2, 0), (N4, 1))));
        Assert.Empty(play.Refusals(N3));
        Assert.Equal(3, play.At(N3).View);
    }

    /// <summary>§8.7: a command may be asked for again, by whoever saw its signature too: so many wait, and the others hear that they do not.</summary>
    [Fact]
    public void Of_those_who_ask_for_one_command_a_few_wait_for_its_answer()
    {
        var group = Chains.Group(new JolteonRules());
        var (play, most) = (group.Stage(), group.Options.MaxAskers);
        for (var ask = 0; ask < most + 3; ask++)
        {
            play.Submit(N4, group.Command("x+", 1));
        }

        Assert.Equal(Enumerable.Repeat<HotStuff.Result>(new HotStuff.Result.Refused(), 3), play.Answers(N4).Select(answer => answer.Result));
        play.Submit(N4, group.Command("x+", 2));
        group.Feed(play, N4, 1, 3);
        play.Submit(N4, group.Command("x+", 1));
        play.Sync(N4);
        var later = play.Answers(N4).Skip(3).ToList();
        Assert.Equal(most + 1, later.Count);
        Assert.All(later, answer => Assert.IsType<HotStuff.Result.Executed>(answer.Result));
    }

    private (NodeId From, HotStuff.Message Message, Refusal Refusal) Case(string name)
    {
        var first = First();
        var command = _group.Command("x");
        return name switch
        {
            "not a member" => (new NodeId(9), Propose(first), Refusal.NotMember),
            "not the leader" => (N2, Propose(first), Refusal.Unexpected),
            "view zero" => (N1, Propose(Child(Genesis.Certificate, 0)), Refusal.StaleBallot),
            "parent above" => (N1, Propose(Child(_group.Certify(Child(Genesis.Certificate, 1), Three), 1)), Refusal.Malformed),
            "too many commands" => (N1, Propose(Child(Genesis.Certificate, 1, command, _group.Command("y", 2))), Refusal.Malformed),
            "payload too long" => (N1, Propose(Child(Genesis.Certificate, 1, _group.Command("12345"))), Refusal.Malformed),
            "unsigned command" => (N1, Propose(Child(Genesis.Certificate, 1, command with { Signature = default })), Refusal.Forged),
            "command signed by another" => (N1, Propose(Child(Genesis.Certificate, 1, command with { Client = N1 })), Refusal.Forged),
            "wrong phase of parent" => (N2, Propose(Child(_group.Certify(first, Three, VotePhase.Commit), 2)), Refusal.Malformed),
            "two signers" => (N2, Propose(Child(_group.Certify(first, NodeSet.Of(N1, N2)), 2)), Refusal.Forged),
            "one signer three times" => (N2, Propose(Child(Signed(first, N1, N1, N1), 2)), Refusal.Forged),
            "signature of another block" => (N2, Propose(Child(Certified() with { Block = Genesis.Block.Digest }, 2)), Refusal.Forged),
            "certificate of a stranger" => (N2, Propose(Child(Signed(first, N1, N2, new NodeId(9)), 2)), Refusal.Forged),
            "two gave up" => (N2, After(_group.GiveUp(1, (N1, 0), (N2, 0))), Refusal.Forged),
            "gave up in disorder" => (N2, After(_group.GiveUp(1, (N2, 0), (N1, 0), (N3, 0))), Refusal.Forged),
            "gave up twice" => (N2, After(_group.GiveUp(1, (N1, 0), (N1, 0), (N3, 0))), Refusal.Forged),
            "time-out of a stranger" => (N2, After(_group.GiveUp(1, (N1, 0), (N2, 0), (new NodeId(9), 0))), Refusal.Forged),
            "view of a time-out changed" => (N2, After(GivenUp() with { Shares = [.. GivenUp().Shares.Select(share => share with { HighView = 1 })] }), Refusal.Forged),
            "certificate of a time-out not shown" => (N2, After(_group.GiveUp(1, (N1, 0), (N2, 1), (N3, 0))), Refusal.Forged),
            "unproven view" => (N2, Propose(Child(Genesis.Certificate, 2)), Refusal.Unexpected),
            "decision where there is none" => (N1, Propose(first) with { Decision = Certified() }, Refusal.Forged),
            "vote for another collector" => (N1, _group.Vote(N1, first), Refusal.Unexpected),
            "vote in a phase that is none" => (N1, _group.Vote(N1, VotePhase.PreCommit, 2, first.Digest), Refusal.Unexpected),
            "vote forged" => (N1, _group.Vote(N2, VotePhase.Prepare, 2, first.Digest), Refusal.Forged),
            "vote for view zero" => (N1, _group.Vote(N1, VotePhase.Prepare, 0, first.Digest), Refusal.StaleBallot),
            "time-out forged" => (N1, _group.Timeout(N2, 1, Showing(Genesis.Certificate)), Refusal.Forged),
            "time-out that understates" => (N1, _group.Timeout(N1, 2, Showing(Certified())) with { Certificates = Showing(Genesis.Certificate) }, Refusal.Forged),
            "time-out ahead" => (N1, _group.Timeout(N1, 2, Showing(Genesis.Certificate)), Refusal.Unexpected),
            "report to another leader" => (N1, new HotStuff.Message.NewView(1, Showing(Genesis.Certificate)), Refusal.Unexpected),
            "report forged" => (N1, new HotStuff.Message.NewView(1, Showing(Signed(first, N1))), Refusal.Forged),
            "stale sync" => (N1, new HotStuff.Message.Sync(Showing(Genesis.Certificate)), Refusal.StaleBallot),
            "forged sync" => (N1, new HotStuff.Message.Sync(Showing(Signed(first, N1, N2))), Refusal.Forged),
            "fetch of nothing" => (N1, new HotStuff.Message.Fetch(first.Digest, 0), Refusal.Unknown),
            "blocks that nobody asked for" => (N1, new HotStuff.Message.Blocks([first]), Refusal.Unexpected),
            "certified by hand" => (N1, new HotStuff.Message.Certified(Certified()), Refusal.Unexpected),
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, "No such case."),
        };
    }

    private HotStuff.Message After(TimeoutCertificate timeout) => Propose(Child(Genesis.Certificate, 2), timeout);

    private TimeoutCertificate GivenUp() => _group.GiveUp(1, (N1, 0), (N2, 0), (N3, 0));

    private Block First() => Child(Genesis.Certificate, 1, _group.Command("x"));

    private QuorumCertificate Certified() => _group.Certify(First(), Three);

    private QuorumCertificate Signed(Block block, params NodeId[] voters) => new(
        VotePhase.Prepare,
        block.View,
        block.Digest,
        _group.SchemeOf(N1).Aggregate([], [.. voters.Select(voter => new Endorsement(voter, _group.Vote(voter, block).Signature))]));

    private static string State(Stage<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result> play)
    {
        var printer = new StatePrinter();
        play[N3].State(printer);
        return printer.ToString();
    }
}
