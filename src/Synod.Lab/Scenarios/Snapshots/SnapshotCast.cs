using Synod.Core;
using Synod.Lab.Histories;
using Synod.Lab.Stages;
using Synod.Protocols.Snapshots;

namespace Synod.Lab.Scenarios.Snapshots;

/// <summary>Application processes on a stage, of which consistent cuts are taken.</summary>
/// <typeparam name="TApplication">What runs on each process.</typeparam>
internal sealed class SnapshotCast<TApplication>
    where TApplication : class, IApplication
{
    private readonly Dictionary<NodeId, TApplication> _applications = [];

    public SnapshotCast(ulong seed, Topology topology, IReadOnlyList<string> names, Func<NodeId, TApplication> make)
    {
        Topology = topology;
        Stage = new(
            new()
            {
                Processes = [.. topology.Members.Zip(names)],
                Create = start => new ChandyLamport(
                    start.Self, topology, new ChandyLamportOptions(), _applications[start.Self] = make(start.Self)),
                Messages = new ChandyLamport.MessageWire(),
                Records = new ChandyLamport.RecordWire(),
                Words = new Words(),
                Spread = Duration.FromMilliseconds(2),
            },
            seed);
    }

    public Topology Topology { get; }

    public Stage<ChandyLamport.Message, ChandyLamport.Record, ChandyLamport.Command, ChandyLamport.Result> Stage { get; }

    /// <summary>The complete cuts, in the order in which their initiators were told.</summary>
    public IEnumerable<Cut> Cuts => Stage.Answers.Select(answer => answer.Result).OfType<ChandyLamport.Result.Taken>().Select(taken => taken.Cut);

    /// <summary>The application that runs on a node.</summary>
    public TApplication this[NodeId node] => _applications[node];

    public void Act(NodeId node, ReadOnlyMemory<byte> command) => Stage.Submit(node, new ChandyLamport.Command.Act(command));

    public void Begin(NodeId node) => Stage.Submit(node, new ChandyLamport.Command.Begin());

    /// <summary>Takes a snapshot and waits for it; null if it does not complete.</summary>
    public Cut? Snapshot(NodeId node)
    {
        var before = Cuts.Count();
        Begin(node);
        return Stage.RunUntil(() => Cuts.Count() > before, Stage.Now + Duration.FromSeconds(12)) ? Cuts.Last() : null;
    }

    /// <summary>Whether every cut is one that the system could have been in.</summary>
    public static void Judge(Report report, params IReadOnlyList<Cut?> cuts)
    {
        var complete = cuts.OfType<Cut>().ToList();
        report.Liveness("SnapshotCompletes", complete.Count == cuts.Count, $"{complete.Count} of {cuts.Count}");
        var reasons = complete.Select(cut => cut.Inconsistency()).OfType<string>().ToList();
        report.Safety(
            ChandyLamport.CutConsistency,
            reasons.Count == 0,
            $"{(reasons.Count == 0 ? "nothing received that was not sent, and every channel holds what was under way" : string.Join("; ", reasons))}");
    }

    /// <summary>What a cut found, as a table.</summary>
    public Figures Show(Cut cut) => new(
        $"What {cut.Id} found",
        ["process", "state", "in its channels"],
        [.. cut.Pieces.Select(piece => (IReadOnlyList<string>)
        [
            Stage.NameOf(piece.Process),
            $"{new Key(piece.State)}",
            string.Join(", ", piece.Incoming.Where(channel => channel.Contents.Length > 0).Select(
                channel => $"from {Stage.NameOf(channel.From)}: {string.Join(" ", channel.Contents.Select(message => new Key(message.Body)))}")),
        ])]);

    private sealed class Words : Vocabulary<ChandyLamport.Message, ChandyLamport.Record, ChandyLamport.Command, ChandyLamport.Result>
    {
        public override Word? Message(ChandyLamport.Message message) => message switch
        {
            ChandyLamport.Message.Data { Parcel: ChandyLamport.Parcel.Payload payload } => new Key(payload.Body).ToString(),
            ChandyLamport.Message.Data => "MARKER",
            ChandyLamport.Message.Hand => "its piece",
            ChandyLamport.Message.Load or ChandyLamport.Message.Loaded => message.GetType().Name,
            _ => null,
        };

        public override Word? Record(ChandyLamport.Record record) => record switch
        {
            ChandyLamport.Record.Received { Parcel: ChandyLamport.Parcel.Marker } => "saw marker",
            ChandyLamport.Record.Received { Parcel: ChandyLamport.Parcel.Payload payload } => $"took {new Key(payload.Body)}",
            ChandyLamport.Record.Begun => "cut begins",
            ChandyLamport.Record.Closed => new Word("cut complete", true),
            ChandyLamport.Record.Restored => "restored",
            _ => null,
        };

        public override Word? Timer(TimerId timer) => (ChandyLamport.Timer)timer.Kind == ChandyLamport.Timer.Limit ? "gives up" : null;

        public override Word? Command(ChandyLamport.Command command) => command switch
        {
            ChandyLamport.Command.Act act => new Key(act.Body).ToString(),
            ChandyLamport.Command.Begin => "snapshot",
            _ => command.GetType().Name.ToLowerInvariant(),
        };

        public override Word? Result(ChandyLamport.Result result) => result switch
        {
            ChandyLamport.Result.Acted => null,
            _ => result.GetType().Name.ToLowerInvariant(),
        };
    }
}
