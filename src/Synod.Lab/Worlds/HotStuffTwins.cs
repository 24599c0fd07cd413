using Synod.Core;
using Synod.Exploration;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Worlds;

using Configuration = Model<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>;
using Rounds = RoundModel<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>;
using Told = World<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>;

/// <summary>
/// Four members, the first of which runs twice under one key: every split of the five and every leader, round by round, a round being
/// a view as long as views succeed each other (Bano et al. 2021). Proofs are ideal threshold signatures, so that worlds do not differ
/// in who signed.
/// </summary>
internal static class HotStuffTwins
{
    private static readonly NodeId[] Alike = [HotStuffGroup.N2, HotStuffGroup.N3, HotStuffGroup.N4];
    private static readonly NodeId Second = new(5);

    /// <summary>Where the members and the second copy of the first run.</summary>
    public static NodeId[] Addresses { get; } = [HotStuffGroup.N1, .. Alike, Second];

    /// <summary>The configuration, without faults of the network.</summary>
    /// <param name="group">The members.</param>
    /// <param name="commands">How many commands are known to the second copy alone at first, so that it proposes what the first does not.</param>
    /// <param name="others">How many are known to the first copy alone.</param>
    public static Configuration Members(HotStuffGroup group, int commands, int others = 0)
    {
        var twins = new Twins().With(Second, HotStuffGroup.N1);
        IEnumerable<Submission<HotStuff.Command>> Commands(NodeId node, int count, int client) => Enumerable.Range(1, count)
            .Select(number => new Submission<HotStuff.Command>(
                node, group.Command($"{number}", number, HotStuffGroup.FirstClient + client)));
        return new Configuration
        {
            Nodes = Addresses,
            Make = address => new Twinned<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>(
                address, twins, group.Make(twins.IdentityOf(address))),
            Messages = new HotStuff.MessageWire(),
            Records = new HotStuff.RecordWire(),
            Submissions = [.. Commands(Second, commands, 0), .. Commands(HotStuffGroup.N1, others, 1)],

            // The n-th new command goes into the n-th block of a copy.
            SubmitWhen = (protocol, _) => Replica(protocol).WaitingCommands == 0,
        }
        .Always(HotStuff.Agreement, world => HotStuff.Agree(Correct(world)))
        .Always(HotStuff.CommittedStays, world => HotStuff.AreCommitsKept([.. Correct(world)]))
        .Sometimes("two blocks of one view are known", world =>
            Correct(world).Any(replica => replica.Tree.Open.Select(block => block.View).Distinct().Count() < replica.Tree.Open.Count));
    }

    /// <param name="rules">By which they vote and commit.</param>
    /// <param name="rounds">How long the schedules are.</param>
    /// <param name="sides">Into how many sides the network is split at most.</param>
    /// <param name="mutation">A known mistake of all of them.</param>
    /// <param name="lies">In how many rounds the twins also alter a message.</param>
    /// <param name="pruned">As the paper prunes: the twins and one other member lead, and no round is without a quorum that hears each other.</param>
    public static Rounds Model(
        IHotStuffRules rules, int rounds, int sides = 2, HotStuffMutation mutation = HotStuffMutation.None, int lies = 0, bool pruned = false)
    {
        var draw = new LeaderDraw(pruned ? [HotStuffGroup.N1, HotStuffGroup.N2] : [HotStuffGroup.N1, .. Alike]);
        var group = HotStuffGroup.Of(4, rules, threshold: true).With(options => options with
        {
            Leaders = new Drawn(draw),
            ProposesWhenIdle = true,

            // One new command for each copy in each of its blocks, and none for anyone else: so the blocks of the two differ, and worlds do not
            // differ in who has heard of which command. Clients would suffer; safety cannot.
            MaxWaiting = 1,
            Mutation = mutation == HotStuffMutation.None ? HotStuffMutation.OrphansLost : mutation,
        });
        return new Rounds
        {
            Model = Members(group, rounds, rounds).Sometimes("a certificate is known", world => Correct(world).Any(replica => replica.High.View > 0)),
            Rounds = rounds,
            Partitions = [.. Partition.All(Addresses, sides).Where(split => !pruned || split.Sides.Any(HasQuorum))],
            RoundOf = RoundOf,
            Expires = (protocol, _, round) => Replica(protocol).View <= round,
            Elapses = (_, timer) => timer.Kind == (int)HotStuff.Timer.Open,
            Leaders = draw,

            // Nothing is said any more in a view that was given up, unless it was said before.
            AsksFrom = protocol => Replica(protocol).View + (lies > 0 || Replica(protocol).TimedOutView < Replica(protocol).View ? 0 : 1),
            Alike = [pruned ? [HotStuffGroup.N3, HotStuffGroup.N4] : Alike],
            Copies = [[HotStuffGroup.N1, Second]],
            Essence = new HotStuffEssence(
                rules, group.Options.Quorum, [HotStuffGroup.N1, .. Alike, HotStuffGroup.N1], lies > 0 ? NodeSet.Of(HotStuffGroup.N1) : NodeSet.Empty),
            Liars = NodeSet.Of(HotStuffGroup.N1, Second),
            MaxLies = lies,
            Lies =
            [
                new("a view more", (message, _) => Shifted(group, message, 1)),
                new("a view less", (message, _) => Shifted(group, message, -1)),
                new("what it said before", (message, earlier) => earlier.LastOrDefault(said => said.GetType() == message.GetType())),
            ],
        };
    }

    /// <summary>Schedules drawn at random: what one of them breaks.</summary>
    public static Counterexample? Wander(IHotStuffRules rules, int rounds, ulong seed, int schedules) =>
        Model(rules, rounds).Wander((int)seed, schedules).Counterexample;

    public static IEnumerable<HotStuff> Correct(Told world) => Alike.Select(node => Replica(world[node].Protocol));

    private static bool HasQuorum(NodeSet side) => (side.Contains(Second) ? side.Without(Second).With(HotStuffGroup.N1) : side).Count >= 3;

    private static HotStuff Replica(Protocol<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result> protocol) =>
        HotStuffEssence.Replica(protocol);

    private static long? RoundOf(HotStuff.Message message) => message switch
    {
        HotStuff.Message.Proposal proposal => proposal.Block.View,
        HotStuff.Message.Vote vote => vote.View,
        HotStuff.Message.Certified certified => certified.Certificate.View,
        HotStuff.Message.NewView report => report.View,
        _ => null,
    };

    /// <summary>The same said of a neighbouring view, signed anew.</summary>
    private static HotStuff.Message? Shifted(HotStuffGroup group, HotStuff.Message message, long by) => message switch
    {
        HotStuff.Message.Proposal { Block: var block } proposal when block.View + by > block.Justify.View =>
            proposal with { Block = new Block(block.View + by, block.Justify, block.Commands) },
        HotStuff.Message.Vote vote when vote.View + by > 0 => group.Vote(HotStuffGroup.N1, vote.Phase, vote.View + by, vote.Block),
        HotStuff.Message.Timeout timeout when timeout.View + by > 0 =>
            group.Timeout(HotStuffGroup.N1, timeout.View + by, timeout.Certificates),
        _ => null,
    };

    /// <summary>Leaders as the schedule draws them.</summary>
    private sealed record Drawn(LeaderDraw Draw) : LeaderSchedule
    {
        public override NodeId LeaderOf(long view) => Draw.LeaderOf(view);
    }
}
