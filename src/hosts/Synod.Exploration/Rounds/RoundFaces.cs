using System.IO.Hashing;
using System.Runtime.InteropServices;
using Synod.Core;

namespace Synod.Exploration;

/// <summary>
/// What properties see of nodes: there are far fewer such faces than states, and combinations of them than worlds. Several workers may ask.
/// </summary>
internal sealed class RoundFaces<TMessage, TRecord, TCommand, TResult>(
    Model<TMessage, TRecord, TCommand, TResult> model, RoundEssence<TMessage, TRecord, TCommand, TResult> essence)
{
    /// <summary>Instances kept to be looked at: many times larger than what they are made from.</summary>
    private const int MaxViews = 50_000;

    private readonly Dictionary<UInt128, int> _numbers = [];
    private readonly List<(int Index, byte[] State)> _faces = [];
    private readonly List<NodeView<TMessage, TRecord, TCommand, TResult>?> _views = [];
    private readonly CodecWriter _writer = new();
    private readonly Lock _gate = new();
    private int _viewed;

    public int Number(int index, Protocol<TMessage, TRecord, TCommand, TResult> protocol)
    {
        using var _ = _gate.EnterScope();
        _writer.Clear();
        _writer.Int(index);
        essence.Witness(_writer, protocol);
        var print = XxHash128.HashToUInt128(_writer.Span);
        if (!_numbers.TryGetValue(print, out var number))
        {
            number = _faces.Count;
            _numbers.Add(print, number);
            _writer.Clear();
            protocol.State(new StateWriter(_writer));
            _faces.Add((index, _writer.ToArray()));
            _views.Add(null);
        }

        return number;
    }

    /// <summary>A node with this face.</summary>
    public NodeView<TMessage, TRecord, TCommand, TResult> View(int number)
    {
        using var _ = _gate.EnterScope();
        if (_views[number] is { } known)
        {
            return known;
        }

        if (++_viewed > MaxViews)
        {
            _viewed = 1;
            CollectionsMarshal.AsSpan(_views).Clear();
        }

        var (index, state) = _faces[number];
        return _views[number] = new NodeView<TMessage, TRecord, TCommand, TResult>
        {
            Id = model.Nodes[index],
            Protocol = model.Load(index, state),
            Durable = [],
            Pending = [],
            Executions = [],
            Answers = [],
            Timers = [],
        };
    }
}
