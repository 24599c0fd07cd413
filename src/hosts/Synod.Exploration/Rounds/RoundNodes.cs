using System.IO.Hashing;
using Synod.Core;

namespace Synod.Exploration;

/// <summary>
/// What nodes are at the end of one round, equal ones under the same number, with what they said for later rounds: a world is then a
/// number for each node.
/// </summary>
internal sealed class RoundNodes<TMessage, TRecord, TCommand, TResult>(
    RoundModel<TMessage, TRecord, TCommand, TResult> model,
    RoundEssence<TMessage, TRecord, TCommand, TResult> essence,
    IReadOnlyList<Renaming> renamings)
{
    private readonly List<RoundNode<TMessage>> _nodes = [];
    private readonly List<TMessage[]> _said = [];
    private readonly List<RoundNote> _saidNotes = [];
    private readonly Dictionary<UInt128, int> _numbers = [];
    private readonly Dictionary<UInt128, int> _saidNumbers = [];
    private readonly Dictionary<(int, UInt128), int> _without = [];
    private readonly CodecWriter _writer = new();

    public RoundNode<TMessage> this[int number] => _nodes[number];

    public int Count => _nodes.Count;

    /// <summary>The number of a node in this state.</summary>
    public int Number(
        int index, Protocol<TMessage, TRecord, TCommand, TResult> protocol, TimerId[] timers, int submitted, IReadOnlyList<Waiting<TMessage>> waiting, int face)
    {
        _writer.Clear();
        Standing.WriteHead(_writer, index, timers, submitted);

        // Whoever hears of it hears nothing of when it was said to others.
        Waiting<TMessage>[] ordered = waiting.Count > 1 ? [.. waiting.OrderBy(item => item.To)] : [.. waiting];
        foreach (var (_, to, message) in ordered)
        {
            _writer.Int(to);
            essence.WriteWithin(_writer, message);
        }

        essence.WriteWithin(_writer, protocol);
        var print = XxHash128.HashToUInt128(_writer.Span);
        if (!_numbers.TryGetValue(print, out var number))
        {
            number = _nodes.Count;
            _numbers.Add(print, number);
            _writer.Clear();
            protocol.State(new StateWriter(_writer));
            var state = _writer.ToArray();
            var note = essence.Note(new(index, protocol, ordered, timers, submitted), renamings);
            var from = model.Leaders is null ? 0 : (int)Math.Min(model.AsksFrom(protocol), int.MaxValue);
            _nodes.Add(new(index, state, timers, submitted, ordered, note, face, from));
        }

        return number;
    }

    /// <summary>What liars may say again; nothing has number 0.</summary>
    public int Say(IReadOnlyList<TMessage> messages)
    {
        _writer.Clear();
        foreach (var message in messages)
        {
            essence.WriteWithin(_writer, message);
        }

        var print = XxHash128.HashToUInt128(_writer.Span);
        if (!_saidNumbers.TryGetValue(print, out var number))
        {
            number = _said.Count;
            _saidNumbers.Add(print, number);
            _said.Add([.. messages]);
            _saidNotes.Add(essence.Note(new(-1, null, [.. messages.Select(message => new Waiting<TMessage>(-1, -1, message))], [], 0), renamings));
        }

        return number;
    }

    public TMessage[] Said(int number) => _said[number];

    public RoundNote SaidNote(int number) => _saidNotes[number];

    /// <summary>A new instance in the state that a number stands for.</summary>
    public Protocol<TMessage, TRecord, TCommand, TResult> Load(int number) => model.Model.Load(_nodes[number].Index, _nodes[number].State);

    /// <summary>The node without what is surplus in the world that the essence looked at last.</summary>
    public int Without(int number)
    {
        var node = _nodes[number];
        var surplus = essence.Surplus(node.Note);
        if (surplus == UInt128.Zero)
        {
            return number;
        }

        if (!_without.TryGetValue((number, surplus), out var rest))
        {
            var protocol = Load(number);
            essence.Forget(node.Note, protocol);
            rest = Number(node.Index, protocol, node.Timers, node.Submitted, node.Waiting, node.Face);
            _without.Add((number, surplus), rest);
        }

        return rest;
    }
}

/// <summary>One node at the end of a round. Never changed.</summary>
/// <param name="Index">The position in the model's list of nodes.</param>
/// <param name="State">The instance.</param>
/// <param name="Timers">Armed timers in ascending order.</param>
/// <param name="Submitted">How many of the node's submissions were made.</param>
/// <param name="Waiting">What it said for later rounds, by receivers.</param>
/// <param name="Note">What the essence keeps of it.</param>
/// <param name="Face">What properties see of it.</param>
/// <param name="AsksFrom">The first round whose leader may still matter to it.</param>
internal sealed record RoundNode<TMessage>(
    int Index, byte[] State, TimerId[] Timers, int Submitted, Waiting<TMessage>[] Waiting, RoundNote Note, int Face, int AsksFrom);
