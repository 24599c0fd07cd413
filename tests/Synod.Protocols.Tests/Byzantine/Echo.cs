using Synod.Core;

namespace Synod.Protocols.Tests.Byzantine;

/// <summary>
/// A protocol for trying faults on: what is submitted is told to everyone early, recorded, told again with an exclamation mark, and
/// answered. It remembers what it heard and from whom.
/// </summary>
internal sealed class Echo(NodeId self, NodeSet members) : Protocol<string, string, string, string>
{
    private readonly List<string> _heard = [];

    public NodeId Self => self;

    public IReadOnlyList<string> Heard => _heard;

    public override void State(StateVisitor visitor) =>
        visitor.Visit("heard", _heard, static (v, ref text) => v.Visit("", ref text));

    public override void CheckInvariants()
    {
    }

    protected override void OnRecover(IEnumerable<string> records, StepContext context, Outbox<string, string, string, string> outbox) =>
        _heard.AddRange(records);

    protected override void OnReceive(NodeId from, string message, StepContext context, Outbox<string, string, string, string> outbox) =>
        _heard.Add($"{from}:{message}");

    protected override void OnFire(TimerId timer, StepContext context, Outbox<string, string, string, string> outbox) =>
        _heard.Add("timer");

    protected override void OnSubmit(
        RequestId request, string command, StepContext context, Outbox<string, string, string, string> outbox)
    {
        foreach (var node in members)
        {
            outbox.SendEarly(node, command);
        }

        outbox.Persist(command);
        outbox.Send(members, command + "!");
        outbox.Persist(command + "?");
        outbox.SetTimer(new TimerId(1), context.Now);
        outbox.Refuse(Refusal.Duplicate);
        outbox.Execute(new Slot(1), command);
        outbox.Answer(request, "done");
    }

    /// <summary>The binary form of a text.</summary>
    internal sealed class Wire : IWire<string>
    {
        public void Write(CodecWriter writer, string value) => writer.String(value);

        public string Read(ref CodecReader reader) => reader.String();
    }
}
