using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;
using Synod.Lab.Histories;
using Synod.Lab.Stages;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Scenarios.Byzantine;

/// <summary>A PBFT group and its clients on a stage, some replicas in the hands of an adversary.</summary>
internal sealed class PbftCast
{
    private readonly SortedDictionary<Slot, Digest> _agreed = [];
    private readonly List<string> _split = [];

    /// <param name="seed">Drawn from it: how much longer each message takes.</param>
    /// <param name="replicas">How many; they are called A, B, C and so on.</param>
    /// <param name="clients">Their names.</param>
    /// <param name="liars">The adversaries of replicas, by their place from 0.</param>
    /// <param name="recorded">Whether what happens is written down.</param>
    /// <param name="delay">Of every link.</param>
    /// <param name="sync">Of every disk.</param>
    public PbftCast(
        ulong seed,
        int replicas,
        IReadOnlyList<string> clients,
        IReadOnlyDictionary<int, Func<PbftCast, Adversary<Pbft.Message>>>? liars = null,
        bool recorded = true,
        Duration? delay = null,
        Duration? sync = null)
    {

        // Nothing is lost on this stage but by the script, so nobody has to say again and again where it is.
        Quartet = new Quartet(new PbftOptions { ReadsDirectly = false, StatusInterval = Duration.FromSeconds(10) }, replicas);
        Replicas = Quartet.Group.Replicas;
        Clients = [.. clients.Select((_, index) => new NodeId(1_001 + index))];
        Liars = NodeSet.Of([.. liars?.Keys.Select(index => Replicas[index]) ?? []]);
        Stage = new(
            new()
            {
                Processes =
                [
                    .. Clients.Zip(clients),
                    .. Replicas.Select((node, index) => (node, replicas <= 26 ? $"{(char)('A' + index)}" : $"{node}")),
                ],
                Create = start => liars is not null && Liars.Contains(start.Self)
                    ? new Corrupted<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>(
                        Quartet.Make(start.Self), liars[Replicas.IndexOf(start.Self)](this))
                    : Quartet.Make(start.Self),
                Messages = new Pbft.MessageWire(),
                Records = new Pbft.RecordWire(),
                Words = new Words(recorded),
                Delay = (_, _) => delay ?? Duration.FromMilliseconds(10),
                Sync = sync ?? Duration.FromMilliseconds(1),
            },
            seed)
        {
            Stepped = OnStepped,
        };
    }

    public ImmutableArray<NodeId> Replicas { get; }

    public ImmutableArray<NodeId> Clients { get; }

    /// <summary>Keys, options and machines of the group, of whatever size.</summary>
    public Quartet Quartet { get; }

    public PbftOptions Options => Quartet.Options;

    /// <summary>Replicas of which nothing is demanded.</summary>
    public NodeSet Liars { get; }

    public Stage<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result> Stage { get; }

    /// <summary>The replicas that do as they should.</summary>
    public IEnumerable<Pbft> Correct => Replicas.Where(node => !Liars.Contains(node)).Select(node => Stage[node]).OfType<Pbft>();

    public void Invoke(NodeId client, string operation, long tag = 0) =>
        Stage.Submit(client, new Pbft.Command.Invoke(Key.Of(operation).Memory), tag);

    /// <summary>No two correct replicas executed different batches in a slot, and those who did nothing wrong are not accused.</summary>
    public void Judge(Report report, string suffix = "")
    {
        report.Safety(
            Pbft.Agreement + suffix,
            _split.Count == 0,
            $"{(_split.Count > 0 ? string.Join("; ", _split) : $"{Report.Many(_agreed.Count, "slot")}, the same at every correct replica")}");
        var accused = Correct.SelectMany(replica => replica.Accusations).Select(item => item.Accused).Where(node => !Liars.Contains(node)).ToList();
        report.Safety(Pbft.CorrectIsNotAccused + suffix, accused.Count == 0, $"accused: {(accused.Count == 0 ? "nobody that is correct" : string.Join(", ", accused))}");
    }

    private void OnStepped(NodeId node, Outbox<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result> outbox)
    {
        foreach (ref readonly var executed in outbox.Executions)
        {
            var digest = ((Pbft.Command.Apply)executed.Command).Batch.Digest;
            if (!Liars.Contains(node) && !_agreed.TryAdd(executed.Position, digest) && _agreed[executed.Position] != digest)
            {
                _split.Add($"{executed.Position} is {digest} on {Stage.NameOf(node)} and {_agreed[executed.Position]} elsewhere");
            }
        }
    }

    private sealed class Words(bool recorded) : Vocabulary<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>
    {
        public override Word? Message(Pbft.Message message) => !recorded ? null : message switch
        {
            Pbft.Message.Status => null,
            Pbft.Message.Request m => $"Request {Said(m.Signed)}",
            Pbft.Message.PrePrepare m => Text($"PrePrepare {m.Slot} {Said(m.Batch)}"),
            Pbft.Message.Prepare m => Text($"Prepare {m.Slot}"),
            Pbft.Message.Commit m => Text($"Commit {m.Slot}"),
            Pbft.Message.ViewChange m => Text($"ViewChange {m.View}"),
            Pbft.Message.NewView m => Text($"NewView {m.View}"),
            Pbft.Message.Reply m => $"Reply {new Key(m.Result)}",
            _ => message.GetType().Name,
        };

        public override Word? Record(Pbft.Record record) => !recorded ? null : record switch
        {
            Pbft.Record.PrePrepared m => Text($"PrePrepared {m.Slot}"),
            Pbft.Record.Prepared m => Text($"Prepared {m.Proof.Slot}"),
            Pbft.Record.Changing m => Text($"leaves for view {m.ViewChange.View}"),
            Pbft.Record.Entered m => Text($"enters view {m.NewView.View}"),
            _ => null,
        };

        public override Word? Timer(TimerId timer) => !recorded ? null : (Pbft.Timer)timer.Kind switch
        {
            Pbft.Timer.Retry => "no replies",
            Pbft.Timer.Status => null,
            _ => "not executed",
        };

        public override Word? Command(Pbft.Command command) => !recorded ? null : command is Pbft.Command.Invoke invoke ? $"{new Key(invoke.Operation)}" : command.GetType().Name;

        public override Word? Result(Pbft.Result result) => !recorded ? null : result is Pbft.Result.Completed done ? $"done: {new Key(done.Value)}" : result.GetType().Name;

        public override Word? Execution(Slot position, Pbft.Command command) =>
            recorded ? new Word($"{position} = {Said(((Pbft.Command.Apply)command).Batch)}", true) : null;

        private static string Said(Pbft.Batch batch) => batch.Requests.IsEmpty ? "nothing" : string.Join("+", batch.Requests.Select(Said));

        private static string Said(Pbft.SignedRequest request) => new Key(request.Operation).ToString();

        private static Word Text(FormattableString text) => new(text.ToString(CultureInfo.InvariantCulture));
    }
}
