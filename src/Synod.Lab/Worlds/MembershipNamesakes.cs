using System.Globalization;
using System.Text;
using Synod.Core;
using Synod.Protocols.Gossip;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

using Command = Membership.Command;
using Message = Membership.Message;
using Record = Membership.Record;
using Result = Membership.Result;

/// <summary>
/// Four places, two of which run a process of the same name. Places are what the network knows; names are what the protocol knows, and
/// messages find a name by the address that their sender has of it.
/// </summary>
public sealed class MembershipNamesakes : NodeWatcher<Message, Record, Command, Result>
{
    private static readonly NodeId s_name = new(3);
    private static readonly NodeId s_first = new(3);
    private static readonly NodeId s_second = new(4);

    private readonly SimulatedWorld _world;
    private readonly SimulatedCluster<Message, Record, Command, Result> _cluster;

    public MembershipNamesakes(ulong seed, MembershipOptions options)
    {
        _world = new SimulatedWorld(seed) { MostEvents = 5_000_000 };
        var seeds = options with { Seeds = [new(1)] };
        _cluster = new(_world, new SimulatedNetwork(_world), new()
        {
            Nodes = [new(1), new(2), s_first, s_second],
            Create = start => new Named(new Membership(NameOf(start.Self), MembershipWorld.Address(start.Self), seeds)),
            Messages = new Membership.MessageWire(),
            Records = new Membership.RecordWire(),
            Watcher = this,
        });
    }

    /// <summary>How often a host was told that two go by one name.</summary>
    public int Told { get; private set; }

    public long Refused => _cluster.Nodes.Sum(place => _cluster.Counts(place).Refusals[(int)Refusal.Equivocation]);

    public override void OnStepped(NodeId node, Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (ref readonly var executed in outbox.Executions)
        {
            Told += executed.Command is Command.NameTaken ? 1 : 0;
        }
    }

    /// <summary>The second comes while the first is a member: it is refused until the first has died.</summary>
    public void OneAfterTheOther()
    {
        Start(new(1), new(2), s_first);
        Await("the first is a member", () => AllSee(s_first));
        Start(s_second);
        _world.RunUntil(_world.Elapsed + Duration.FromSeconds(6));
        Expect(AllSee(s_first) && At(s_second)!.Status == Membership.Standing.Outside, "NameIsKept", "the second has the name");
        Expect(Told > 0 && Refused > 0, "NameIsRefused", "nobody was told");
        _cluster.Crash(s_first);
        Await("the second has the name of the dead", () => AllSee(s_second));
    }

    /// <summary>Both come where they cannot see each other, one of them by way of a node that is cut off: one of them keeps the name, and all agree on which.</summary>
    public void BothAtOnce()
    {
        Start(new(1), new(2));
        Await("two are there", () => At(new(2))?.LiveCount == 2);
        Start(s_first, s_second);
        Await("one of them has the name", () => AllSee(s_first) || AllSee(s_second));
        _world.RunUntil(_world.Elapsed + Duration.FromSeconds(6));
        Expect(AllSee(s_first) || AllSee(s_second), "NameIsKept", "the name went on to the other");
        Expect(Told > 0, "NameIsRefused", "nobody was told");
    }

    private static NodeId NameOf(NodeId place) => place == s_second ? s_name : place;

    private void Start(params ReadOnlySpan<NodeId> places)
    {
        foreach (var place in places)
        {
            _cluster.StartAfter(place, Duration.Zero);
        }
    }

    private Membership? At(NodeId place) => (_cluster[place].Protocol as Named)?.Inner;

    /// <summary>Whether all that are members see the name at a place, and the process there is one of them.</summary>
    private bool AllSee(NodeId place) => At(place)?.Status == Membership.Standing.Member && _cluster.Nodes
        .Select(At).OfType<Membership>().Where(view => view.Status == Membership.Standing.Member)
        .All(view => view.LiveCount == 3 && view.Find(s_name) is { Status: MemberStatus.Alive } member && member.Description.Equals(MembershipWorld.Address(place)));

    private void Await(string what, Func<bool> done) => Expect(_world.RunUntil(done, _world.Elapsed + Duration.FromSeconds(60)), "NamesAreSettled", what);

    private void Expect(bool holds, string name, string detail)
    {
        if (!holds)
        {
            var views = _cluster.Nodes.Where(place => At(place) is not null).Select(place => $"{place} {At(place)!.Status} {At(place)!.Incarnation} health={At(place)!.Health}: {string.Join(", ", At(place)!.Members)}");
            throw _world.Failure(name, s_name, $"{detail}; {string.Join("; ", views)}");
        }
    }

    /// <summary>A process under its name, on a network of places.</summary>
    private sealed class Named(Membership inner) : Protocol<Message, Record, Command, Result>
    {
        public Membership Inner => inner;

        public override void State(StateVisitor visitor) => inner.State(visitor);

        public override void CheckInvariants()
        {
        }

        protected override void OnRecover(
            IEnumerable<Record> records, StepContext context, Outbox<Message, Record, Command, Result> outbox) =>
            Pass(NodeId.None, outbox, within => inner.Recover(records, context, within));

        protected override void OnReceive(
            NodeId from, Message message, StepContext context, Outbox<Message, Record, Command, Result> outbox) =>
            Pass(from, outbox, within => inner.Receive(NameOf(from), message, context, within));

        protected override void OnFire(TimerId timer, StepContext context, Outbox<Message, Record, Command, Result> outbox) =>
            Pass(NodeId.None, outbox, within => inner.Fire(timer, context, within));

        protected override void OnSubmit(
            RequestId request, Command command, StepContext context, Outbox<Message, Record, Command, Result> outbox) =>
            Pass(NodeId.None, outbox, within => inner.Submit(request, command, context, within));

        /// <summary>What answers a message goes back to where that came from, whatever its sender calls itself.</summary>
        private void Pass(
            NodeId origin,
            Outbox<Message, Record, Command, Result> outbox,
            Action<Outbox<Message, Record, Command, Result>> step)
        {
            var within = new Outbox<Message, Record, Command, Result>(outbox.RecordCount);
            step(within);
            within.PassOn(outbox);
            foreach (var sent in within.Messages)
            {
                outbox.Send(sent.To == NameOf(origin) ? origin : PlaceOf(sent.To), sent.Message);
            }
        }

        /// <summary>Addresses are places. Who asks to join has none yet, and seeds are where their names say.</summary>
        private NodeId PlaceOf(NodeId name) => inner.Find(name) is { } member
            ? new NodeId(int.Parse(Encoding.UTF8.GetString(member.Description.Address.Span), CultureInfo.InvariantCulture))
            : name;
    }
}
