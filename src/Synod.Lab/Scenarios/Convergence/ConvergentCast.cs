using Synod.Core;
using Synod.Crdt;
using Synod.Crdt.Laws;
using Synod.Lab.Histories;
using Synod.Lab.Stages;
using Synod.Lab.Worlds.Convergence;

namespace Synod.Lab.Scenarios.Convergence;

/// <summary>Replicas of one convergent state on a stage, and who had seen what when it did something.</summary>
internal sealed class ConvergentCast<TState>
    where TState : class, ILattice<TState>
{
    private readonly List<Happening> _happenings = [];
    private readonly NodeSet _nodes;

    /// <param name="names">The replicas from left to right.</param>
    /// <param name="operate">Carries out an operation of a client and returns the delta.</param>
    /// <param name="skew">How far a node's clock is ahead.</param>
    /// <param name="maxSkew">How far ahead a received timestamp may be; anything by default.</param>
    /// <param name="print">What people are told of a state.</param>
    public ConvergentCast(
        ulong seed,
        IReadOnlyList<string> names,
        TState prototype,
        Func<TState, ReplicaId, HybridTimestamp, string, TState> operate,
        Func<NodeId, Duration>? skew = null,
        Duration? maxSkew = null,
        Func<TState, string>? print = null)
    {
        Print = print ?? (static state => $"{state}");
        var nodes = Enumerable.Range(1, names.Count).Select(number => new NodeId(number)).ToArray();
        _nodes = NodeSet.Of(nodes);
        var wire = new Replica.Wire();
        Stage = new(
            new()
            {
                Processes = [.. nodes.Zip(names)],
                Create = start => new Replica<TState>(
                    start.Self,
                    _nodes,
                    prototype,
                    operate,
                    new HybridClock(maxSkew ?? Duration.FromSeconds(86_400)),
                    skew?.Invoke(start.Self) ?? Duration.Zero,
                    Print),
                Messages = wire,
                Records = wire,
                Words = new Words(),
                Spread = Duration.FromMilliseconds(4),
            },
            seed);
    }

    public Stage<Replica.Message, Replica.Record, Replica.Command, Replica.Result> Stage { get; }

    /// <summary>What people are told of a state.</summary>
    public Func<TState, string> Print { get; }

    /// <summary>The operations of the story so far.</summary>
    public IReadOnlyList<Happening> Happenings => _happenings;

    public IEnumerable<TState> States => _nodes.Select(node => ReplicaOf(node).Value);

    public TState this[int node] => ReplicaOf(new NodeId(node)).Value;

    /// <summary>A client does something at a replica at a time.</summary>
    public void At(long ms, int node, string operation) => Stage.At(Duration.FromMilliseconds(ms), () =>
    {
        var number = _happenings.Count;
        _happenings.Add(new(number, operation.Split(' ')[0], number, node, ReplicaOf(new NodeId(node)).Seen));
        Subjects.Add(operation[(operation.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
        Stage.Submit(new NodeId(node), new Replica.Command.Operate(operation, 1UL << number), number);
    });

    /// <summary>What each operation was about, by its number.</summary>
    public List<string> Subjects { get; } = [];

    /// <summary>Everybody sends everybody all it has, twice: so much is said by any replication that works.</summary>
    public void SyncAt(long ms)
    {
        foreach (var node in _nodes)
        {
            Stage.At(Duration.FromMilliseconds(ms), () => Stage.Submit(node, new Replica.Command.Sync()));
            Stage.At(Duration.FromMilliseconds(ms + 25), () => Stage.Submit(node, new Replica.Command.Sync()));
        }
    }

    /// <summary>One sends its whole state to the others.</summary>
    public void SyncAt(long ms, int node) =>
        Stage.At(Duration.FromMilliseconds(ms), () => Stage.Submit(new NodeId(node), new Replica.Command.Sync()));

    /// <summary>Everybody alone from a time on, until another.</summary>
    public void AloneBetween(long from, long to)
    {
        Stage.At(Duration.FromMilliseconds(from), () => Stage.Cut([.. _nodes.Select(node => NodeSet.Of(node))]));
        Stage.At(Duration.FromMilliseconds(to), Stage.Heal);
    }

    /// <summary>Strong eventual consistency: who has seen the same is equal, to the byte.</summary>
    public void JudgeConvergence(Report report, string of = "")
    {
        var replicas = _nodes.Select(ReplicaOf).ToList();
        var isEqual = replicas.All(left => replicas.All(right =>
            left.Seen != right.Seen || StateCodec.Encode(left.Value).AsSpan().SequenceEqual(StateCodec.Encode(right.Value))));
        report.Safety($"StrongEventualConsistency{of}", isEqual, $"{string.Join(", ", replicas.Select(replica => Print(replica.Value)))}");
        report.Liveness(
            $"EveryoneHasSeenEverything{of}",
            replicas.All(replica => replica.Seen == (1UL << _happenings.Count) - 1),
            $"{_happenings.Count} operations at {replicas.Count} replicas");
    }

    /// <summary>
    /// Add-wins, over what happened before what: an element is there if an add was seen that no removal has seen (notes §8.5).
    /// </summary>
    public void JudgeAddWins(Report report, Func<TState, IEnumerable<string>> elements, string of = "")
    {
        var wrong = new List<string>();
        foreach (var node in _nodes)
        {
            var replica = ReplicaOf(node);
            var seen = _happenings.Where(what => (replica.Seen >> what.Number & 1) != 0).ToList();
            var expected = seen.Where(what => what.Operation == "add" && !seen.Exists(later =>
                later.Operation == "remove" && Subjects[later.Number] == Subjects[what.Number] && later.HasSeen(what)))
                .Select(what => Subjects[what.Number]).ToHashSet();
            var actual = elements(replica.Value).ToHashSet();
            wrong.AddRange(actual.Except(expected).Select(element => $"{Stage.NameOf(node)} has {element}, which was removed"));
            wrong.AddRange(expected.Except(actual).Select(element => $"{Stage.NameOf(node)} has lost {element}"));
        }

        report.Safety($"AddWins{of}", wrong.Count == 0, $"{(wrong.Count == 0 ? "what was added and not removed is there, and nothing else" : string.Join("; ", wrong))}");
    }

    /// <summary>A duration in ms.</summary>
    public bool Play(Report report, string heading, long ms)
    {
        var isSound = report.Guard(() => Stage.RunUntil(Duration.FromMilliseconds(ms)));
        report.Show(heading, Stage.History);
        return isSound;
    }

    private Replica<TState> ReplicaOf(NodeId node) => (Replica<TState>)Stage[node]!;

    private sealed class Words : Vocabulary<Replica.Message, Replica.Record, Replica.Command, Replica.Result>
    {
        public override Word? Message(Replica.Message message) => message.Label;

        public override Word? Record(Replica.Record record) => record.Label.Length == 0 ? null : record.Label;

        public override Word? Timer(TimerId timer) => null;

        public override Word? Command(Replica.Command command) => command is Replica.Command.Operate operate ? operate.Text : "sync";

        public override Word? Result(Replica.Result result) => result.Value;
    }
}
