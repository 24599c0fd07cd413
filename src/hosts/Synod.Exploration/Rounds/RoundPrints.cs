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
    private readonly List<Renaming> _renamings = [];
    private readonly Renaming _masked;
    private readonly UInt128[] _faces;
    private readonly Dictionary<int, UInt128[]> _nodes = [];
    private readonly Dictionary<int, UInt128[]> _messages = [];
    private readonly CodecWriter _writer = new();
    private readonly List<UInt128> _print = [];

    public RoundPrints(
        RoundModel<TMessage, TRecord, TCommand, TResult> model, Locals<TMessage, TRecord, TCommand, TResult> locals, Layout layout)
    {
        (_model, _locals, _layout) = (model, locals, layout);
        _essence = model.Essence ?? new WholeState<TMessage, TRecord, TCommand, TResult>(model.Model.Messages);
        _faces = new UInt128[layout.Nodes];
        ImmutableArray<IReadOnlyList<NodeId>> groups = [.. model.Alike.Where(group => group.Count > 1)];
        Rename([], groups);
        _masked = new(_renamings.Count, [], groups.SelectMany(group => group.Select(node => (node, group[0]))));
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
            Forget();
            _essence.Begin(
                _writer,
                round,
                Enumerable.Range(0, _layout.Nodes).Select(node => _locals.View(world[node]).Protocol),
                world.Skip(_layout.Network).Concat(said).Select(number => _locals.Message(number).Message));
        }

        var common = XxHash128.HashToUInt128(_writer.Span);
        var least = UInt128.MaxValue;
        foreach (var renaming in Candidates(world))
        {
            _print.Clear();
            _print.Add(common);
            Write(renaming, world, said);
            _print.Add((UInt128)(uint)lies);
            for (var asked = (int)Math.Min(from, drawn.Length); asked < drawn.Length; asked++)
            {
                _print.Add(new UInt128((uint)renaming.Of(drawn[asked]).Value, unchecked((ulong)(asked - origin))));
            }

            least = UInt128.Min(least, XxHash128.HashToUInt128(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_print))));
        }

        return least;
    }

    /// <summary>Forgets what was worked out of numbers that mean something else from now on.</summary>
    public void Forget()
    {
        _nodes.Clear();
        _messages.Clear();
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

    /// <summary>
    /// The renamings worth trying: those that put the nodes of each group in the order of what they are when nobody has a name. That order is the
    /// same in every renamed world, so that it may choose; only nodes that look alike have to be tried in each order.
    /// </summary>
    private IEnumerable<Renaming> Candidates(int[] world)
    {
        if (_renamings.Count == 1)
        {
            return _renamings;
        }

        for (var node = 0; node < _layout.Nodes; node++)
        {
            _faces[node] = Node(world[node], _masked);
        }

        return _renamings.Where(IsInOrder);
    }

    private bool IsInOrder(Renaming renaming)
    {
        foreach (var group in renaming.Groups)
        {
            for (var place = 1; place < group.Length; place++)
            {
                if (_faces[group[place - 1]] > _faces[group[place]])
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>Every way in which the nodes of each group change names among each other.</summary>
    private void Rename(ImmutableArray<ImmutableArray<NodeId>> placed, ImmutableArray<IReadOnlyList<NodeId>> groups)
    {
        if (placed.Length == groups.Length)
        {
            _renamings.Add(new(
                _renamings.Count,
                [.. placed.Select(group => group.Select(_locals.IndexOf).ToArray())],
                placed.SelectMany((group, index) => group.Zip(groups[index]))));
            return;
        }

        Place([], groups[placed.Length]);

        void Place(ImmutableArray<NodeId> begun, IReadOnlyList<NodeId> left)
        {
            if (left.Count == 0)
            {
                Rename(placed.Add(begun), groups);
            }

            foreach (var node in left)
            {
                Place(begun.Add(node), [.. left.Where(other => other != node)]);
            }
        }
    }

    private void Write(Renaming renaming, int[] world, int[] said)
    {
        var begin = _print.Count;
        CollectionsMarshal.SetCount(_print, begin + _layout.Nodes);
        for (var node = 0; node < _layout.Nodes; node++)
        {
            _print[begin + _locals.IndexOf(renaming.Of(_model.Model.Nodes[node]))] = Node(world[node], renaming);
        }

        WriteMessages(renaming, world.AsSpan(_layout.Network), maySkip: true);
        WriteMessages(renaming, said, maySkip: false);
    }

    private void WriteMessages(Renaming renaming, ReadOnlySpan<int> messages, bool maySkip)
    {
        var begin = _print.Count;
        foreach (var message in messages)
        {
            if (!maySkip || !_essence.FollowsFromSender(_locals.Message(message).Message))
            {
                _print.Add(Message(message, renaming));
            }
        }

        CollectionsMarshal.AsSpan(_print)[begin..].Sort();
        _print.Add(UInt128.Zero);
    }

    private UInt128 Node(int number, Renaming renaming)
    {
        ref var print = ref Known(_nodes, number, renaming);
        if (print == UInt128.Zero)
        {
            Begin(renaming);
            var local = _locals[number];
            _writer.Int(_essence.IsRelative ? 0 : local.Submitted);
            foreach (var timer in local.Timers)
            {
                _writer.Int(timer.Kind);
            }

            _essence.Write(_writer, _locals.View(number).Protocol);
            print = End();
        }

        return print;
    }

    private UInt128 Message(int number, Renaming renaming)
    {
        ref var print = ref Known(_messages, number, renaming);
        if (print == UInt128.Zero)
        {
            Begin(renaming);
            var (from, to, message) = _locals.Message(number);
            _writer.Node(from);
            _writer.Node(to);
            _essence.Write(_writer, message);
            print = End();
        }

        return print;
    }

    /// <summary>Where the print of something under a renaming is kept; zero until it is worked out.</summary>
    private ref UInt128 Known(Dictionary<int, UInt128[]> prints, int number, Renaming renaming)
    {
        if (!prints.TryGetValue(number, out var known))
        {
            prints.Add(number, known = new UInt128[_renamings.Count + 1]);
        }

        return ref known[renaming.Number];
    }

    private void Begin(Renaming renaming)
    {
        _writer.Clear();
        _writer.Renaming = renaming.Of;
    }

    private UInt128 End()
    {
        _writer.Renaming = null;
        return XxHash128.HashToUInt128(_writer.Span);
    }

    /// <summary>New names for nodes.</summary>
    private sealed class Renaming
    {
        private readonly Dictionary<NodeId, NodeId> _names;

        /// <param name="number">Its position among all.</param>
        /// <param name="groups">Of each group the positions of its nodes, in the order of their new names.</param>
        /// <param name="names">Old and new.</param>
        public Renaming(int number, int[][] groups, IEnumerable<(NodeId Old, NodeId New)> names)
        {
            (Number, Groups) = (number, groups);
            _names = names.ToDictionary(pair => pair.Old, pair => pair.New);
            Of = node => _names.GetValueOrDefault(node, node);
        }

        public int Number { get; }

        public int[][] Groups { get; }

        public Func<NodeId, NodeId> Of { get; }
    }
}
