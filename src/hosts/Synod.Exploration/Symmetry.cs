using Synod.Core;

namespace Synod.Exploration;

/// <summary>Picks one of the worlds that differ only in the names of interchangeable nodes.</summary>
internal sealed class Symmetry<TMessage, TRecord, TCommand, TResult>
{
    private readonly Model<TMessage, TRecord, TCommand, TResult> _model;
    private readonly Locals<TMessage, TRecord, TCommand, TResult> _locals;
    private readonly Layout _layout;
    private readonly List<NodeId[]> _renamings;
    private readonly Dictionary<(int Number, int Renaming), int> _knownLocals = [];
    private readonly Dictionary<(int Number, int Renaming), int> _knownMessages = [];

    /// <exception cref="ArgumentException">An interchangeable node has submissions of its own.</exception>
    public Symmetry(
        Model<TMessage, TRecord, TCommand, TResult> model, Locals<TMessage, TRecord, TCommand, TResult> locals, Layout layout)
    {
        if (model.Submissions.Any(item => model.Interchangeable.Contains(item.Node)))
        {
            throw new ArgumentException("Nodes with submissions are not interchangeable.", nameof(model));
        }

        (_model, _locals, _layout) = (model, locals, layout);
        NodeId[] nodes = [.. model.Interchangeable];
        _renamings = [.. Permutations(nodes, 0).Skip(1)];
    }

    public int[] Canonical(int[] world)
    {
        var least = world;
        for (var renaming = 0; renaming < _renamings.Count; renaming++)
        {
            var other = Renamed(world, renaming);
            if (other.AsSpan().SequenceCompareTo(least) < 0)
            {
                least = other;
            }
        }

        return least;
    }

    private static IEnumerable<NodeId[]> Permutations(NodeId[] nodes, int fixedCount)
    {
        if (fixedCount >= nodes.Length - 1)
        {
            yield return (NodeId[])nodes.Clone();
            yield break;
        }

        for (var index = fixedCount; index < nodes.Length; index++)
        {
            var swapped = (NodeId[])nodes.Clone();
            (swapped[fixedCount], swapped[index]) = (swapped[index], swapped[fixedCount]);
            foreach (var permutation in Permutations(swapped, fixedCount + 1))
            {
                yield return permutation;
            }
        }
    }

    private NodeId Rename(NodeId node, int renaming)
    {
        var index = 0;
        foreach (var candidate in _model.Interchangeable)
        {
            if (candidate == node)
            {
                return _renamings[renaming][index];
            }

            index++;
        }

        return node;
    }

    private int[] Renamed(int[] world, int renaming)
    {
        var renamed = (int[])world.Clone();
        for (var node = 0; node < _layout.Nodes; node++)
        {
            var number = RenamedLocal(world[node], renaming);
            renamed[_locals[number].Node] = number;
        }

        for (var at = _layout.Network; at < world.Length; at++)
        {
            renamed[at] = RenamedMessage(world[at], renaming);
        }

        renamed.AsSpan(_layout.Network).Sort();
        return renamed;
    }

    private int RenamedMessage(int number, int renaming)
    {
        if (!_knownMessages.TryGetValue((number, renaming), out var renamed))
        {
            NodeId New(NodeId node) => Rename(node, renaming);
            var (from, to, message) = _locals.Message(number);
            renamed = _locals.Number(New(from), New(to), _locals.Write(_model.Messages, message, New));
            _knownMessages.Add((number, renaming), renamed);
        }

        return renamed;
    }

    private int RenamedLocal(int number, int renaming)
    {
        if (!_knownLocals.TryGetValue((number, renaming), out var renamed))
        {
            renamed = _locals.Number(RenamedLocal(_locals[number], node => Rename(node, renaming)));
            _knownLocals.Add((number, renaming), renamed);
        }

        return renamed;
    }

    private Local RenamedLocal(Local local, Func<NodeId, NodeId> rename)
    {
        byte[] Rewrite<T>(IWire<T> wire, byte[] bytes) =>
            _locals.Write(wire, Locals<TMessage, TRecord, TCommand, TResult>.Read(wire, bytes), rename);
        Output Rewritten<T>(IWire<T> wire, Output output) => output with { Bytes = Rewrite(wire, output.Bytes) };
        return local with
        {
            Node = _locals.IndexOf(rename(_model.Nodes[local.Node])),
            State = _locals.Save(_locals.Load(local), rename),
            Durable = [.. local.Durable.Select(bytes => Rewrite(_model.Records, bytes))],
            Pending = [.. local.Pending.Select(bytes => Rewrite(_model.Records, bytes))],
            Held = [.. local.Held.Select(held => held.IsAnswer
                ? held with { Bytes = Rewrite(_model.Results!, held.Bytes) }
                : held with
                {
                    Address = rename(new NodeId((int)held.Address)).Value,
                    Bytes = Rewrite(_model.Messages, held.Bytes),
                })],
            Executions = [.. local.Executions.Select(output => Rewritten(_model.Commands!, output)).Order()],
            Answers = [.. local.Answers.Select(output => Rewritten(_model.Results!, output)).Order()],
        };
    }
}
