using System.Collections.Immutable;
using System.Text;
using Synod.Core;
using Synod.Protocols.Gossip;

namespace Synod.Database.Nodes;

/// <summary>
/// What a node tells the others of itself and hears of them: who is there (<see cref="Membership"/>), what changed in the directory
/// (<see cref="Plumtree"/>), and how the cluster fares on average (<see cref="Aggregation"/>). It never decides anything: it says where
/// somebody may be found, and consensus is asked there.
/// </summary>
internal sealed class NodeGossip
{
    /// <summary>The first of the timers; those of the three parts begin so far apart.</summary>
    public const int FirstTimer = 1_000;

    private const int PartTimers = 100;
    private const int MostPings = 16;
    private const int RoundTripShare = 8;

    // Averages are whole numbers.
    private const long Thousandths = 1_000;

    private static readonly RequestId s_own = new(-1);

    private readonly DatabaseOptions _options;
    private readonly StepScope _step;
    private readonly Membership _membership;
    private readonly Plumtree _rumors;
    private readonly Aggregation _averages;
    private readonly Outbox<Membership.Message, Membership.Record, Membership.Command, Membership.Result> _membershipOut = new();
    private readonly Outbox<Plumtree.Message, RumorRecord, RumorCommand, RumorResult> _rumorsOut = new();
    private readonly Outbox<Aggregation.Message, Aggregation.Record, Aggregation.Command, Aggregation.Result> _averagesOut = new();
    private readonly NodeMessageWire _wire = new();
    private readonly CodecWriter _writer = new();
    private readonly Queue<NodeMessage> _news = [];
    private readonly Queue<Member> _changes = [];
    private readonly SortedDictionary<Metric, long> _readings = [];
    private readonly SortedDictionary<NodeId, Duration> _roundTrips = [];
    private readonly SortedDictionary<long, (NodeId Target, Instant Sent)> _pings = [];

    public NodeGossip(DatabaseOptions options, StepScope step)
    {
        var self = options.Nodes.First(node => node.Id == options.Self);
        _options = options;
        _step = step;
        var peers = PeerView.Of(options.Nodes.Select(node => node.Id));
        var description = new MemberDescription(Encoding.UTF8.GetBytes(self.Address), Encoding.UTF8.GetBytes(self.ClientAddress));
        _membership = new Membership(self.Id, description, options.Membership);
        _rumors = new Plumtree(self.Id, options.Rumors with { Incarnation = (long)(options.Incarnation & long.MaxValue) }, peers);
        _averages = new Aggregation(self.Id, options.Aggregation, peers);
    }

    /// <summary>What is known of the others.</summary>
    public Membership Membership => _membership;

    /// <summary>What the cluster comes to, as far as this node has heard.</summary>
    public Api.ClusterAverages Averages
    {
        get
        {
            var known = _averages.Latest ?? _averages.Current;
            return new Api.ClusterAverages
            {
                Nodes = known.Nodes ?? 0,
                Replicas = Average(known, Metric.Replicas),
                Leads = Average(known, Metric.Leads),
                Requests = Average(known, Metric.Requests),
            };
        }
    }

    /// <summary>How long a probe of a node and its answer take on average; null if none was answered yet.</summary>
    public Duration? RoundTrip(NodeId node) => _roundTrips.TryGetValue(node, out var time) ? time : null;

    public void State(StateVisitor visitor)
    {
        _membership.State(visitor);
        _rumors.State(visitor);
        _averages.State(visitor);
    }

    /// <param name="others">Those that are asked for the rest.</param>
    public void Recover(IReadOnlyList<NodeRecord> records, NodeSet others)
    {
        var context = _step.Context;
        _membership.Recover(records.OfType<NodeRecord.Membership>().Select(record => record.Record), context, _membershipOut);
        _rumors.Recover(records.OfType<NodeRecord.Rumor>().Select(record => record.Record), context, _rumorsOut);
        _averages.Recover(records.OfType<NodeRecord.Average>().Select(record => record.Record), context, _averagesOut);
        if (!others.IsEmpty || !_options.AwaitsContact)
        {
            _membership.Submit(s_own, new Membership.Command.Join([.. others]), context, _membershipOut);
        }

        Carry();
    }

    public void Checkpoint()
    {
        _membership.Checkpoint(_step.Context, _membershipOut);
        _rumors.Checkpoint(_step.Context, _rumorsOut);
        _averages.Checkpoint(_step.Context, _averagesOut);
        Carry();
    }

    public void Receive(NodeId from, NodeMessage.Gossip message)
    {
        switch (message)
        {
            case NodeMessage.Membership m:
                NoteAnswer(from, m.Message);
                _membership.Receive(from, m.Message, _step.Context, _membershipOut);
                break;
            case NodeMessage.Rumor m:
                _rumors.Receive(from, m.Message, _step.Context, _rumorsOut);
                break;
            case NodeMessage.Average m:
                _averages.Receive(from, m.Message, _step.Context, _averagesOut);
                break;
        }

        Carry();
    }

    public void Fire(TimerId timer)
    {
        var inner = timer with { Kind = (timer.Kind - FirstTimer) % PartTimers };
        switch ((timer.Kind - FirstTimer) / PartTimers)
        {
            case 0:
                _membership.Fire(inner, _step.Context, _membershipOut);
                break;
            case 1:
                _rumors.Fire(inner, _step.Context, _rumorsOut);
                break;
            default:
                _averages.Fire(inner, _step.Context, _averagesOut);
                break;
        }

        Carry();
    }

    /// <summary>A node of the cluster that the host has found: it tells of the others.</summary>
    public void Meet(NodeId contact)
    {
        _membership.Submit(s_own, new Membership.Command.Join([contact]), _step.Context, _membershipOut);
        Carry();
    }

    /// <summary>Nodes that are known, and no members: a cluster whose nodes start together may begin in parts that do not see each other.</summary>
    public void LookFor(NodeSet others)
    {
        if (_membership.Status != Membership.Standing.Member)
        {
            return;
        }

        ImmutableArray<NodeId> missing = [.. others.Where(node => _membership.Find(node) is null)];
        if (!missing.IsEmpty)
        {
            _membership.Submit(s_own, new Membership.Command.Join(missing), _step.Context, _membershipOut);
            Carry();
        }
    }

    /// <summary>Tells every node. False if it is too long for a rumor, and the caller has to tell each.</summary>
    public bool Spread(NodeMessage news)
    {
        _writer.Clear();
        _wire.Write(_writer, news);
        if (_writer.Length > _options.Rumors.Limits.MostBodyBytes)
        {
            return false;
        }

        _rumors.Submit(s_own, new RumorCommand.Spread(_writer.ToArray()), _step.Context, _rumorsOut);
        Carry();
        return true;
    }

    /// <summary>This node's part in the averages from now on.</summary>
    public void Observe(Metric metric, long reading)
    {
        if (!_readings.TryGetValue(metric, out var known) || known != reading)
        {
            _readings[metric] = reading;
            _averages.Submit(s_own, new Aggregation.Command.Observe((int)metric, [reading * Thousandths]), _step.Context, _averagesOut);
            Carry();
        }
    }

    /// <summary>The next thing that a rumor told.</summary>
    public bool TryTakeNews(out NodeMessage news) => _news.TryDequeue(out news!);

    /// <summary>The next member of whom something else is believed than before.</summary>
    public bool TryTakeChange(out Member member) => _changes.TryDequeue(out member);

    private static double Average(Aggregates known, Metric metric) => (known.Average((int)metric) ?? 0) / (double)Thousandths;

    private void Carry()
    {
        NotePings();
        _step.Carry(new MembershipFloor(), _membershipOut);
        _step.Carry(new RumorFloor(), _rumorsOut);
        _step.Carry(new AverageFloor(), _averagesOut);
        foreach (var (_, happened) in _membershipOut.Executions)
        {
            if (happened is Membership.Command.Changed changed)
            {
                _changes.Enqueue(changed.Member);
            }
        }

        foreach (var (_, happened) in _rumorsOut.Executions)
        {
            Read(((RumorCommand.Learn)happened).Rumor.Body);
        }

        var isNews = _membershipOut.Executions.Length > 0;
        _membershipOut.Clear();
        _rumorsOut.Clear();
        _averagesOut.Clear();
        if (isNews)
        {
            MeetMembers();
        }
    }

    private void MeetMembers()
    {
        var peers = PeerView.Of(_membership.Members.Where(member => member.IsLive).Select(member => member.Id));
        _rumors.Submit(s_own, new RumorCommand.Meet(peers), _step.Context, _rumorsOut);
        _averages.Submit(s_own, new Aggregation.Command.Meet(peers), _step.Context, _averagesOut);
        Carry();
    }

    private void Read(ReadOnlyMemory<byte> body)
    {
        var reader = new CodecReader(body);
        if (_wire.Read(ref reader) is { } news and (NodeMessage.Ranges or NodeMessage.Leads) && reader.IsComplete)
        {
            _news.Enqueue(news);
        }
        else
        {
            _step.Outbox.Refuse(Refusal.Malformed);
        }
    }

    private void NotePings()
    {
        foreach (var (to, message, _) in _membershipOut.Messages)
        {
            if (message is Membership.Message.Ping { Transport: Transport.Datagram } ping)
            {
                _pings[ping.Sequence] = (to, _step.Context.Now);
            }
        }

        while (_pings.Count > MostPings)
        {
            _ = _pings.Remove(_pings.First().Key);
        }
    }

    private void NoteAnswer(NodeId from, Membership.Message message)
    {
        // An answer that a helper relays says nothing of the way to the helper.
        if (message is not Membership.Message.Ack { Transport: Transport.Datagram } ack
            || !_pings.TryGetValue(ack.Sequence, out var ping) || ping.Target != from)
        {
            return;
        }

        _ = _pings.Remove(ack.Sequence);
        var time = _step.Context.Now - ping.Sent;
        _roundTrips[from] = _roundTrips.TryGetValue(from, out var average)
            ? average + new Duration((time - average).Nanoseconds / RoundTripShare)
            : time;
    }

    private static TimerId Timer(int part, TimerId timer) => timer with { Kind = FirstTimer + part * PartTimers + timer.Kind };

    private readonly struct MembershipFloor : IFloor<Membership.Message, Membership.Record>
    {
        public NodeMessage Wrap(Membership.Message message) => new NodeMessage.Membership(message);

        public NodeRecord Keep(Membership.Record record) => new NodeRecord.Membership(record);

        public TimerId Name(TimerId timer) => Timer(0, timer);
    }

    private readonly struct RumorFloor : IFloor<Plumtree.Message, RumorRecord>
    {
        public NodeMessage Wrap(Plumtree.Message message) => new NodeMessage.Rumor(message);

        public NodeRecord Keep(RumorRecord record) => new NodeRecord.Rumor(record);

        public TimerId Name(TimerId timer) => Timer(1, timer);
    }

    private readonly struct AverageFloor : IFloor<Aggregation.Message, Aggregation.Record>
    {
        public NodeMessage Wrap(Aggregation.Message message) => new NodeMessage.Average(message);

        public NodeRecord Keep(Aggregation.Record record) => new NodeRecord.Average(record);

        public TimerId Name(TimerId timer) => Timer(2, timer);
    }
}

/// <summary>What the nodes average over the cluster.</summary>
internal enum Metric
{
    /// <summary>Replicas that a node holds.</summary>
    Replicas,

    /// <summary>Ranges that it leads.</summary>
    Leads,

    /// <summary>Requests of clients in a second.</summary>
    Requests,
}
