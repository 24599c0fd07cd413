using System.Globalization;
using Synod.Core;
using Synod.Lab.Histories;
using Synod.Lab.Stages;
using Synod.Protocols.Gossip;
using Synod.Simulation;

namespace Synod.Lab.Scenarios.Gossip;

using Play = Stage<Membership.Message, Membership.Record, Membership.Command, Membership.Result>;

/// <summary>
/// One of five members comes and goes: cut off for a moment, restarted, gone until it is buried, and back (gossip.md §2.3, §2.5). Its
/// incarnation is what keeps old news from winning over new, and nobody but itself raises it.
/// </summary>
public sealed class FlappingNode : Scenario
{
    private static readonly NodeId s_flapping = new(4);
    private static readonly Roster s_roster = Roster.Numbered(5);

    // Less gossip than usual, so that the picture shows what matters; probes carry the rest.
    private static readonly MembershipOptions s_options = new()
    {
        GossipInterval = Duration.FromMilliseconds(400), GossipFanOut = 1, Retransmissions = 2,
    };

    public override string Name => "flapping-node";

    public override string Title => "A member that comes and goes: suspected it refutes, restarted it exceeds its past, buried it rises under a new incarnation.";

    public override Promise Promise { get; } = Promise.That(
        Membership.PrecedenceHolds, Membership.OnlySelfRaises, "SuspectRefutes", "RestartIsKnown", "DeathIsKnown", "ReturnIsKnown", "OthersAreLeftAlone");

    protected override void Play(Report report, ulong seed)
    {
        var stage = new Play(
            new()
            {
                Processes = [.. Enumerable.Range(1, 5).Select(number => (new NodeId(number), $"{(char)('A' + number - 1)}"))],
                Create = start => new Membership(start.Self, MemberDescription.At($"{start.Self.Value}"), s_options, s_roster),
                Messages = new Membership.MessageWire(),
                Records = new Membership.RecordWire(),
                Words = new Words(),
                Spread = Duration.FromMilliseconds(5),
            },
            seed);
        var witness = new Witness(stage);
        var (suspected, refuted, crashed, restarted, died, buried, returned) = (
            default(Duration), default(Duration), default(Duration), false, default(Duration), false, false);
        var second = Duration.FromSeconds(1);
        var isPlayed = report.Guard(() =>
        {
            stage.RunUntil(second);
            stage.Cut(NodeSet.Of(new(1), new(2), new(3), new(5)), NodeSet.Of(s_flapping));
            stage.RunUntil(() => witness.Any(MemberStatus.Suspect), stage.Now + second * 20);
            suspected = stage.Now;
            stage.Heal();
            stage.RunUntil(() => witness.All(MemberStatus.Alive, 2), stage.Now + second * 20);
            refuted = stage.Now;

            stage.Crash(s_flapping);
            crashed = stage.Now;
            stage.RunUntil(() => witness.Any(MemberStatus.Suspect), stage.Now + second * 20);
            stage.Restart(s_flapping);
            restarted = stage.RunUntil(() => witness.All(MemberStatus.Alive, s_options.IncarnationReserve + 1), stage.Now + second * 20);

            stage.Crash(s_flapping);
            died = stage.Now;
            buried = stage.RunUntil(() => witness.All(MemberStatus.Dead), stage.Now + second * 60);
            died = stage.Now - died;
            stage.Restart(s_flapping);
            returned = stage.RunUntil(() => witness.All(MemberStatus.Alive), stage.Now + second * 20);
        });
        report.Show("Five members; only what is said of D is shown", stage.History);
        if (!isPlayed)
        {
            return;
        }

        report.Tell($"D is cut off. A probe of it fails, helpers and the stream find nothing either: it is suspected after {Report.Ms(suspected - second)}.");
        report.Tell($"Once D hears of it, it raises its incarnation from 1 to 2 and says that it is alive. Alive at 2 wins over Suspect at 1 wherever the two meet, and {Report.Ms(refuted - suspected)} later all believe it.");
        report.Tell($"D crashes at {Report.Ms(crashed)} and comes back as soon as it is suspected. It begins above every incarnation that its disk had reserved, at its clock's time, so its past cannot speak against it.");
        report.Tell($"D stays away. Others confirm the suspicion by probes of their own, which shortens it, and after {Report.Ms(died)} all hold D for dead. When it is back, only its new incarnation makes it a member again.");
        report.Add(witness.Table());
        report.Safety(Membership.PrecedenceHolds, witness.Backward is null, $"{witness.Backward ?? "no belief ever went back"}");
        report.Safety(Membership.OnlySelfRaises, witness.Invented is null, $"{witness.Invented ?? "no incarnation that its owner had not used"}");
        report.Liveness("SuspectRefutes", refuted - suspected < second * 20, $"{Report.Ms(refuted - suspected)} after it could");
        report.Liveness("RestartIsKnown", restarted, $"under incarnation {s_options.IncarnationReserve + 1} or above");
        report.Liveness("DeathIsKnown", buried, $"{Report.Ms(died)} after the crash");
        report.Liveness("ReturnIsKnown", returned, $"by all others");
        report.Measure("OthersAreLeftAlone", witness.OthersDead == 0, $"{witness.OthersDead} times somebody else was held for dead");
    }

    /// <summary>An incarnation that a clock gave is shown as the clock's time.</summary>
    private static string At(long incarnation)
    {
        var began = SimulatedWorld.Start.Nanoseconds / 1_000_000;
        return incarnation < began
            ? string.Create(CultureInfo.InvariantCulture, $"@{incarnation}")
            : string.Create(CultureInfo.InvariantCulture, $"@{(incarnation - began) / 1_000m:0.000}s");
    }

    /// <summary>What the members come to believe of each other.</summary>
    private sealed class Witness
    {
        private readonly Play _stage;
        private readonly SortedDictionary<(NodeId Observer, NodeId Member), Member> _beliefs = [];
        private readonly List<IReadOnlyList<string>> _rows = [];

        public Witness(Play stage)
        {
            _stage = stage;
            stage.Stepped = (node, outbox) =>
            {
                foreach (ref readonly var executed in outbox.Executions)
                {
                    if (executed.Command is Membership.Command.Changed { Member: var member })
                    {
                        Note(node, member);
                    }
                }
            };
        }

        public string? Backward { get; private set; }

        public string? Invented { get; private set; }

        public int OthersDead { get; private set; }

        public bool Any(MemberStatus status) => Others().Any(view => view.Find(s_flapping)?.Status == status);

        public bool All(MemberStatus status, long least = 1) =>
            Others().All(view => view.Find(s_flapping) is { } member && member.Status == status && member.Incarnation >= least);

        /// <summary>Who believed what of the flapping member, and when.</summary>
        public Figures Table() => new("What the others believed of D", ["time", "who", "belief"], _rows);

        private IEnumerable<Membership> Others() =>
            _stage.Cluster.Nodes.Where(node => node != s_flapping).Select(node => (Membership)_stage[node]!);

        private void Note(NodeId observer, Member member)
        {
            if (observer == s_flapping)
            {
                return;
            }

            var what = $"{member.Status} {At(member.Incarnation)}";
            if (member.Id == s_flapping)
            {
                _rows.Add([Report.Ms(_stage.Now), _stage.NameOf(observer), what]);
            }
            else
            {
                OthersDead += member.Status == MemberStatus.Dead ? 1 : 0;
            }

            if (_beliefs.TryGetValue((observer, member.Id), out var held) && (member.Incarnation, member.Status).CompareTo((held.Incarnation, held.Status)) < 0)
            {
                Backward ??= $"{_stage.NameOf(observer)} went from {held} to {member}";
            }

            if (_stage[member.Id] is Membership truth && member.Incarnation > truth.Incarnation)
            {
                Invented ??= $"{_stage.NameOf(observer)} believes {member}, which is at {truth.Incarnation}";
            }

            _beliefs[(observer, member.Id)] = member;
        }
    }

    /// <summary>Only what is said and believed of the flapping member is worth drawing.</summary>
    private sealed class Words : Vocabulary<Membership.Message, Membership.Record, Membership.Command, Membership.Result>
    {
        public override Word? Message(Membership.Message message)
        {
            foreach (var update in message.Updates)
            {
                if (update.Member == s_flapping && message is not Membership.Message.Sync)
                {
                    return Tell(update.Status, update.Incarnation);
                }
            }

            return null;
        }

        public override Word? Record(Membership.Record record) => "reserved";

        public override Word? Timer(TimerId timer) => timer.Kind == (int)Membership.Timer.Suspicion ? "suspicion over" : null;

        public override Word? Command(Membership.Command command) => null;

        public override Word? Result(Membership.Result result) => null;

        public override Word? Execution(Slot position, Membership.Command command) => command is Membership.Command.Changed { Member: var member } && member.Id == s_flapping
            ? new Word(Tell(member.Status, member.Incarnation), member.Status == MemberStatus.Dead)
            : null;

        private static string Tell(MemberStatus status, long incarnation) => $"{status}".ToLowerInvariant() + " " + At(incarnation);
    }
}
