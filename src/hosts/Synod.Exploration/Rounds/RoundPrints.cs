using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Synod.Core;

namespace Synod.Exploration;

/// <summary>
/// Says which worlds at the end of a round are one: those that are equal in what matters under some renaming of the nodes that are
/// alike. The least of the renamed worlds stands for all.
/// </summary>
internal sealed class RoundPrints<TMessage, TRecord, TCommand, TResult>
{
    private readonly RoundModel<TMessage, TRecord, TCommand, TResult> _model;
    private readonly Locals<TMessage, TRecord, TCommand, TResult> _locals;
    private readonly Layout _layout;
    private readonly List<Func<NodeId, NodeId>> _renamings = [];
    private readonly Dictionary<UInt128, int> _numbers = [];
    private readonly Dictionary<int, int[]> _nodes = [];
    private readonly Dictionary<int, int[]> _messages = [];
    private readonly CodecWriter _writer = new();
    private readonly List<int> _print = [];
    private readonly List<int> _least = [];

    public RoundPrints(
        RoundModel<TMessage, TRecord, TCommand, TResult> model, Locals<TMessage, TRecord, TCommand, TResult> locals, Layout layout)
    {
        (_model, _locals, _layout) = (model, locals, layout);
        Rename([], model.Alike);
    }

    /// <param name="world">The nodes, and what is under way.</param>
    /// <param name="said">Messages that may be said again.</param>
    /// <param name="lies">In how many rounds a lie was told.</param>
    /// <param name="drawn">The leaders that are known.</param>
    public UInt128 Of(int[] world, int[] said, int lies, ImmutableArray<NodeId> drawn)
    {
        var from = drawn.IsEmpty ? 0 : Enumerable.Range(0, _layout.Nodes).Min(node => _model.AsksFrom(_locals.View(world[node]).Protocol));
        for (var renaming = 0; renaming < _renamings.Count; renaming++)
        {
            Write(renaming, world, said, lies, drawn, from);
            if (renaming == 0 || CollectionsMarshal.AsSpan(_print).SequenceCompareTo(CollectionsMarshal.AsSpan(_least)) < 0)
            {
                _least.Clear();
                _least.AddRange(_print);
            }
        }

        return System.IO.Hashing.XxHash128.HashToUInt128(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_least)));
    }

    private void Rename(ImmutableArray<NodeId> begun, IReadOnlyList<NodeId> left)
    {
        if (begun.Length == _model.Alike.Count)
        {
            _renamings.Add(node => _model.Alike.ToImmutableArray().IndexOf(node) is var at and >= 0 ? begun[at] : node);
            return;
        }

        foreach (var node in left)
        {
            Rename(begun.Add(node), [.. left.Where(other => other != node)]);
        }
    }

    private void Write(int renaming, int[] world, int[] said, int lies, ImmutableArray<NodeId> drawn, long from)
    {
        _print.Clear();
        CollectionsMarshal.SetCount(_print, _layout.Nodes);
        for (var node = 0; node < _layout.Nodes; node++)
        {
            _print[_locals.IndexOf(_renamings[renaming](_model.Model.Nodes[node]))] = Node(world[node])[renaming];
        }

        WriteMessages(renaming, world.AsSpan(_layout.Network));
        WriteMessages(renaming, said);
        _print.Add(lies);
        for (var round = (int)Math.Min(from, drawn.Length); round < drawn.Length; round++)
        {
            _print.Add(_renamings[renaming](drawn[round]).Value);
        }
    }

    private void WriteMessages(int renaming, ReadOnlySpan<int> messages)
    {
        var begin = _print.Count;
        foreach (var message in messages)
        {
            _print.Add(Message(message)[renaming]);
        }

        CollectionsMarshal.AsSpan(_print)[begin..].Sort();
        _print.Add(-1);
    }

    private int[] Node(int number)
    {
        if (_nodes.TryGetValue(number, out var known))
        {
            return known;
        }

        var local = _locals[number];
        return _nodes[number] = Numbers(writer =>
        {
            writer.Int(local.Submitted);
            foreach (var timer in local.Timers)
            {
                writer.Int(timer.Kind);
            }

            _model.NodeEssence(writer, _locals.View(number).Protocol);
        });
    }

    private int[] Message(int number)
    {
        if (_messages.TryGetValue(number, out var known))
        {
            return known;
        }

        var (from, to, message) = _locals.Message(number);
        return _messages[number] = Numbers(writer =>
        {
            writer.Node(from);
            writer.Node(to);
            _model.MessageEssence(writer, message);
        });
    }

    private int[] Numbers(Action<CodecWriter> write)
    {
        var numbers = new int[_renamings.Count];
        for (var renaming = 0; renaming < numbers.Length; renaming++)
        {
            _writer.Clear();
            _writer.Renaming = _renamings[renaming];
            write(_writer);
            var print = System.IO.Hashing.XxHash128.HashToUInt128(_writer.Span);
            if (!_numbers.TryGetValue(print, out numbers[renaming]))
            {
                numbers[renaming] = _numbers.Count;
                _numbers.Add(print, numbers[renaming]);
            }
        }

        return numbers;
    }
}
