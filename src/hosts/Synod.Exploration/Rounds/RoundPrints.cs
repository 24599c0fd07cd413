using System.Collections.Immutable;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Synod.Core;

namespace Synod.Exploration;

/// <summary>
/// Says which worlds at the end of a round are one: those that are equal in what matters under some renaming of the nodes that are
/// alike. The least of the renamed worlds' prints stands for all.
/// </summary>
internal sealed class RoundPrints<TMessage, TRecord, TCommand, TResult>
{
    private readonly RoundModel<TMessage, TRecord, TCommand, TResult> _model;
    private readonly Locals<TMessage, TRecord, TCommand, TResult> _locals;
    private readonly Layout _layout;
    private readonly RoundEssence<TMessage, TRecord, TCommand, TResult> _essence;
    private readonly List<Func<NodeId, NodeId>> _renamings = [];
    private readonly Dictionary<int, UInt128[]> _nodes = [];
    private readonly Dictionary<int, UInt128[]> _messages = [];
    private readonly CodecWriter _writer = new();
    private readonly List<UInt128> _print = [];

    public RoundPrints(
        RoundModel<TMessage, TRecord, TCommand, TResult> model, Locals<TMessage, TRecord, TCommand, TResult> locals, Layout layout)
    {
        (_model, _locals, _layout) = (model, locals, layout);
        _essence = model.Essence ?? new WholeState<TMessage, TRecord, TCommand, TResult>(model.Model.Messages);
        Rename([], [.. model.Alike.Where(group => group.Count > 1)]);
    }

    /// <summary>Whether worlds of different rounds can be one.</summary>
    public bool ForgetRounds => _essence.ForgetsRounds;

    /// <param name="round">How many rounds were run.</param>
    /// <param name="world">The nodes, and what is under way.</param>
    /// <param name="said">Messages that may be said again.</param>
    /// <param name="lies">In how many rounds a lie was told.</param>
    /// <param name="drawn">The leaders that are known.</param>
    public UInt128 Of(int round, int[] world, int[] said, int lies, ImmutableArray<NodeId> drawn)
    {
        var from = drawn.IsEmpty ? 0 : Enumerable.Range(0, _layout.Nodes).Min(node => _model.AsksFrom(_locals.View(world[node]).Protocol));
        var origin = 0;
        _writer.Clear();
        if (_essence.IsRelative)
        {
            origin = round;
            _nodes.Clear();
            _messages.Clear();
            _essence.Begin(
                _writer,
                round,
                Enumerable.Range(0, _layout.Nodes).Select(node => _locals.View(world[node]).Protocol),
                world.Skip(_layout.Network).Concat(said).Select(number => _locals.Message(number).Message));
        }

        var common = XxHash128.HashToUInt128(_writer.Span);
        var least = UInt128.MaxValue;
        for (var renaming = 0; renaming < _renamings.Count; renaming++)
        {
            _print.Clear();
            _print.Add(common);
            Write(renaming, world, said);
            _print.Add((UInt128)(uint)lies);
            for (var asked = (int)Math.Min(from, drawn.Length); asked < drawn.Length; asked++)
            {
                _print.Add(new UInt128((uint)_renamings[renaming](drawn[asked]).Value, unchecked((ulong)(asked - origin))));
            }

            least = UInt128.Min(least, XxHash128.HashToUInt128(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_print))));
        }

        return least;
    }

    /// <summary>The world that was written last, without what does not matter in it.</summary>
    public int[] Simplified(int[] world)
    {
        var simple = (int[])world.Clone();
        for (var node = 0; node < _layout.Nodes; node++)
        {
            var protocol = _locals.Load(_locals[world[node]]);
            _essence.Simplify(protocol);
            simple[node] = _locals.Number(_locals[world[node]] with { State = _locals.Save(protocol) });
        }

        return simple;
    }

    /// <summary>Every way in which the nodes of each group change names among each other.</summary>
    private void Rename(ImmutableArray<(NodeId Old, NodeId New)> begun, ImmutableArray<IReadOnlyList<NodeId>> groups)
    {
        if (groups.IsEmpty)
        {
            var names = begun.ToDictionary(pair => pair.Old, pair => pair.New);
            _renamings.Add(node => names.GetValueOrDefault(node, node));
            return;
        }

        Place([], groups[0]);

        void Place(ImmutableArray<NodeId> placed, IReadOnlyList<NodeId> left)
        {
            if (left.Count == 0)
            {
                Rename(begun.AddRange(groups[0].Zip(placed)), groups.RemoveAt(0));
            }

            foreach (var node in left)
            {
                Place(placed.Add(node), [.. left.Where(other => other != node)]);
            }
        }
    }

    private void Write(int renaming, int[] world, int[] said)
    {
        var begin = _print.Count;
        CollectionsMarshal.SetCount(_print, begin + _layout.Nodes);
        for (var node = 0; node < _layout.Nodes; node++)
        {
            _print[begin + _locals.IndexOf(_renamings[renaming](_model.Model.Nodes[node]))] = Node(world[node])[renaming];
        }

        WriteMessages(renaming, world.AsSpan(_layout.Network), maySkip: true);
        WriteMessages(renaming, said, maySkip: false);
    }

    private void WriteMessages(int renaming, ReadOnlySpan<int> messages, bool maySkip)
    {
        var begin = _print.Count;
        foreach (var message in messages)
        {
            if (!maySkip || !_essence.FollowsFromSender(_locals.Message(message).Message))
            {
                _print.Add(Message(message)[renaming]);
            }
        }

        CollectionsMarshal.AsSpan(_print)[begin..].Sort();
        _print.Add(UInt128.Zero);
    }

    private UInt128[] Node(int number)
    {
        if (_nodes.TryGetValue(number, out var known))
        {
            return known;
        }

        var local = _locals[number];
        return _nodes[number] = Prints(writer =>
        {
            writer.Int(_essence.IsRelative ? 0 : local.Submitted);
            foreach (var timer in local.Timers)
            {
                writer.Int(timer.Kind);
            }

            _essence.Write(writer, _locals.View(number).Protocol);
        });
    }

    private UInt128[] Message(int number)
    {
        if (_messages.TryGetValue(number, out var known))
        {
            return known;
        }

        var (from, to, message) = _locals.Message(number);
        return _messages[number] = Prints(writer =>
        {
            writer.Node(from);
            writer.Node(to);
            _essence.Write(writer, message);
        });
    }

    private UInt128[] Prints(Action<CodecWriter> write)
    {
        var prints = new UInt128[_renamings.Count];
        for (var renaming = 0; renaming < prints.Length; renaming++)
        {
            _writer.Clear();
            _writer.Renaming = _renamings[renaming];
            write(_writer);
            prints[renaming] = XxHash128.HashToUInt128(_writer.Span);
        }

        _writer.Renaming = null;
        return prints;
    }
}
