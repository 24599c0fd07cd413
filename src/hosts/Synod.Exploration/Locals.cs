using System.Runtime.InteropServices;
using Synod.Core;

namespace Synod.Exploration;

/// <summary>
/// Gives numbers to local states and messages, equal ones the same (collapse compression, Holzmann 1997): a world is then a few
/// numbers, and what a step does needs working out once for each local state and input.
/// </summary>
internal sealed class Locals<TMessage, TRecord, TCommand, TResult>(Model<TMessage, TRecord, TCommand, TResult> model)
{
    /// <summary>Instances kept to be looked at: many times larger than what they are made from.</summary>
    private const int MaxViews = 100_000;

    private readonly List<Local> _locals = [];
    private readonly List<NodeView<TMessage, TRecord, TCommand, TResult>?> _views = [];
    private readonly Dictionary<UInt128, int> _localNumbers = [];
    private readonly List<(InFlight<TMessage> Message, byte[] Bytes, int Target)> _messages = [];
    private readonly Dictionary<UInt128, int> _messageNumbers = [];
    private readonly CodecWriter _writer = new();
    private int _viewed;

    public Local this[int number] => _locals[number];

    public int Count => _locals.Count;

    public int IndexOf(NodeId node)
    {
        for (var index = 0; index < model.Nodes.Count; index++)
        {
            if (model.Nodes[index] == node)
            {
                return index;
            }
        }

        return -1;
    }

    public int Number(Local local)
    {
        var print = local.Fingerprint(_writer);
        if (!_localNumbers.TryGetValue(print, out var number))
        {
            number = _locals.Count;
            _localNumbers.Add(print, number);
            _locals.Add(local);
            _views.Add(null);
        }

        return number;
    }

    public InFlight<TMessage> Message(int number) => _messages[number].Message;

    /// <summary>The position of the node that a message is for.</summary>
    public int Target(int message) => _messages[message].Target;

    /// <summary>The number of a message. It is decoded from its bytes: a message that does not survive the wire breaks a claim.</summary>
    public int Number(NodeId from, NodeId to, byte[] bytes)
    {
        _writer.Clear();
        _writer.Node(from);
        _writer.Node(to);
        _writer.Raw(bytes);
        var print = System.IO.Hashing.XxHash128.HashToUInt128(_writer.Span);
        if (!_messageNumbers.TryGetValue(print, out var number))
        {
            number = _messages.Count;
            _messageNumbers.Add(print, number);
            _messages.Add((new(from, to, Read(model.Messages, bytes)), bytes, IndexOf(to)));
        }

        return number;
    }

    /// <summary>A new instance in the state that <paramref name="local"/> holds.</summary>
    public Protocol<TMessage, TRecord, TCommand, TResult> Load(Local local) => model.Load(local.Node, local.State);

    public byte[] Save(Protocol<TMessage, TRecord, TCommand, TResult> protocol, Func<NodeId, NodeId>? renaming = null)
    {
        _writer.Clear();
        _writer.Renaming = renaming;
        protocol.State(new StateWriter(_writer));
        _writer.Renaming = null;
        return _writer.ToArray();
    }

    public byte[] Write<T>(IWire<T> wire, T value, Func<NodeId, NodeId>? renaming = null)
    {
        _writer.Clear();
        _writer.Renaming = renaming;
        wire.Write(_writer, value);
        _writer.Renaming = null;
        return _writer.ToArray();
    }

    /// <exception cref="InvariantViolation">The bytes are not what the wire would have written.</exception>
    public static T Read<T>(IWire<T> wire, byte[] bytes)
    {
        var reader = new CodecReader(bytes);
        var value = wire.Read(ref reader);
        Invariant.Check(value is not null && reader.IsComplete, "WireRoundTrip");
        return value;
    }

    public NodeView<TMessage, TRecord, TCommand, TResult> View(int number)
    {
        if (_views[number] is { } known)
        {
            return known;
        }

        if (++_viewed > MaxViews)
        {
            _viewed = 1;
            CollectionsMarshal.AsSpan(_views).Clear();
        }

        var local = _locals[number];
        var view = new NodeView<TMessage, TRecord, TCommand, TResult>
        {
            Id = model.Nodes[local.Node],
            Protocol = Load(local),
            Durable = [.. local.Durable.Select(bytes => Read(model.Records, bytes))],
            Pending = [.. local.Pending.Select(bytes => Read(model.Records, bytes))],
            Executions = [.. local.Executions.Select(
                output => new Executed<TCommand>(new Slot(output.Number), Read(model.Commands!, output.Bytes)))],
            Answers = [.. local.Answers.Select(
                output => KeyValuePair.Create(new RequestId(output.Number), Read(model.Results!, output.Bytes)))],
            Timers = local.Timers,
        };
        return _views[number] = view;
    }
}
