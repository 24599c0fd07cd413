using System.Globalization;
using Synod.Core;

namespace Synod.Crdt.Laws;

/// <summary>One run of some replicas, with every law checked on what comes of it.</summary>
internal sealed class LawRun<T>(
    T prototype,
    IReadOnlyList<Operation<T>> operations,
    Func<T, string> print,
    Specification? specification,
    IReadOnlyList<Law> without,
    int replicas,
    ulong seed)
    where T : class, ILattice<T>
{
    /// <summary>Up to so many deltas are delivered in every order, more in some orders.</summary>
    private const int AllOrders = 4;

    private const int SomeOrders = 6;

    private readonly T[] _states = [.. Enumerable.Range(0, replicas).Select(_ => prototype.Bottom())];
    private readonly ulong[] _seen = new ulong[replicas];
    private readonly List<(T Delta, Happening What)> _deltas = [];
    private readonly List<string> _steps = [];
    private (Law Law, string Detail)? _broken;

    /// <summary>Runs a script to its end or until a law is broken.</summary>
    public Counterexample? Execute(IReadOnlyList<Step> script)
    {
        try
        {
            foreach (var step in script)
            {
                Take(step);
                if (_broken is not null)
                {
                    break;
                }
            }

            if (_broken is null)
            {
                CheckStates();
                CheckConvergence();
            }
        }
        catch (Exception thrown) when (_broken is null)
        {
            _broken = (Law.NothingIsThrown, $"{thrown.GetType().Name}: {thrown.Message}");
        }

        return _broken is { } broken ? new(Named(typeof(T)), broken.Law, [.. _steps], broken.Detail) : null;
    }

    private static string Named(Type type) => type.Name.Split('`')[0];

    private static byte[] Bytes(T state)
    {
        var writer = new CodecWriter();
        state.Write(writer);
        return writer.ToArray();
    }

    private static bool Same(T left, T right) => Bytes(left).AsSpan().SequenceEqual(Bytes(right));

    private void Take(Step step)
    {
        switch (step.Kind)
        {
            case StepKind.Do:
                _steps.Add(step.Print(operations));
                Do(step);
                break;
            case StepKind.Sync when step.Subject != step.Replica:
                _steps.Add(step.Print(operations));
                Receive(step.Replica, _states[step.Subject]);
                _seen[step.Replica] |= _seen[step.Subject];
                break;
            case StepKind.Deliver when _deltas.Count > 0:
                var (delta, what) = _deltas[step.Subject % _deltas.Count];
                _steps.Add((step with { Subject = what.Number }).Print(operations));
                Receive(step.Replica, delta);
                _seen[step.Replica] |= 1UL << what.Number;
                break;
        }

        CheckMeaning(step.Replica);
    }

    private void Do(Step step)
    {
        var operation = operations[step.Subject];
        var state = _states[step.Replica];
        var before = state.Copy();
        var delta = operation.Apply(state, new ReplicaId(new NodeId(step.Replica + 1), 0xA0UL + (ulong)step.Replica), step.Argument);
        var what = new Happening(_deltas.Count, operation.Name, step.Argument, step.Replica, _seen[step.Replica]);
        Hold(Same(before.Joined(state), state), Law.Inflation, () =>
            $"{print(before)} became {print(state)}, which does not hold what was there before: joined they are {print(before.Joined(state))}");
        Hold(Same(before.Joined(delta), state), Law.DeltaIsState, () =>
            $"{print(before)} joined with the delta is {print(before.Joined(delta))}, and the operation made it {print(state)}");
        _deltas.Add((delta.Copy(), what));
        _seen[step.Replica] |= 1UL << what.Number;
    }

    private void Receive(int replica, T other)
    {
        var (mine, theirs) = (Bytes(_states[replica]), Bytes(other));
        var told = _states[replica].Join(other);
        var changed = !Bytes(_states[replica]).AsSpan().SequenceEqual(mine);
        Hold(told == changed, Law.JoinTells, () => $"the join says {(told ? "more" : "nothing new")} and the state did {(changed ? "" : "not ")}change");
        Hold(Bytes(other).AsSpan().SequenceEqual(theirs), Law.JoinTells, () => "the join changed what it joined");
    }

    /// <summary>The value follows from what was seen, wherever deltas came in causal order: what an operation had seen was seen before.</summary>
    private void CheckMeaning(int replica)
    {
        if (specification is null)
        {
            return;
        }

        var seen = _deltas.Select(item => item.What).Where(what => (_seen[replica] >> what.Number & 1) != 0).ToList();
        if (IsClosed(_seen[replica]) && seen.TrueForAll(what => IsClosed(what.Seen)))
        {
            var (expected, actual) = (specification(seen), print(_states[replica]));
            Hold(expected == actual, Law.Meaning, () => $"{Step.Name(replica)} has {actual} and should have {expected}");
        }
    }

    private bool IsClosed(ulong seen) =>
        _deltas.TrueForAll(item => (seen >> item.What.Number & 1) == 0 || (item.What.Seen & ~seen) == 0);

    /// <summary>The laws of the lattice, over different states only: equal ones have nothing to add.</summary>
    private void CheckStates()
    {
        var states = new List<T>();
        foreach (var state in _states.Concat(_deltas.Take(2).Select(item => item.Delta)).Append(prototype.Bottom()))
        {
            if (!states.Exists(other => Same(other, state)))
            {
                states.Add(state);
            }
        }

        for (var first = 0; first < states.Count; first++)
        {
            CheckOne(states[first]);
            for (var second = 0; second < states.Count; second++)
            {
                CheckTwo(states[first], states[second]);
                for (var third = second + 1; first < second && third < states.Count; third++)
                {
                    CheckThree(states[first], states[second], states[third]);
                }
            }
        }
    }

    private void CheckOne(T x)
    {
        var again = x.Copy();
        Hold(!again.Join(x) && Same(again, x), Law.Idempotence, () => $"{print(x)} joined with itself is {print(again)}");
        Hold(Same(x.Joined(x.Bottom()), x) && Same(x.Bottom().Joined(x), x), Law.Neutrality, () => $"of bottom with {print(x)}");
        Hold(x.IsBottom == Same(x, x.Bottom()), Law.Neutrality, () => $"{print(x)} says that it is {(x.IsBottom ? "" : "not ")}bottom");

        var whole = x.Bottom();
        foreach (var part in x.Decompose())
        {
            Hold(part.LessOrEqual(x), Law.Decomposition, () => $"{print(part)} is a part of {print(x)} and not below it");
            whole.Join(part);
        }

        Hold(Same(whole, x), Law.Decomposition, () => $"the parts of {print(x)} join to {print(whole)}");
        var outcome = StateCodec.Decode(prototype, StateCodec.Encode(x), out var read);
        Hold(outcome == Decoding.Ok && Same(read!, x) && read!.LessOrEqual(x) && x.LessOrEqual(read), Law.Encoding, () =>
            $"{print(x)} is read as {(outcome == Decoding.Ok ? print(read!) : outcome)}");
    }

    private void CheckTwo(T x, T y)
    {
        var joined = x.Joined(y);
        Hold(Same(joined, y.Joined(x)), Law.Commutativity, () => $"{print(x)} and {print(y)} join to {print(joined)} or {print(y.Joined(x))}");
        Hold(x.LessOrEqual(y) == Same(joined, y), Law.Order, () =>
            $"{print(x)} is {(x.LessOrEqual(y) ? "" : "not ")}below {print(y)}, and joined they are {print(joined)}");
        Hold(Same(x, y) == (x.LessOrEqual(y) && y.LessOrEqual(x)), Law.Encoding, () => $"{print(x)} and {print(y)} are equal or have equal bytes");

        var lacking = x.Minus(y);
        Hold(Same(y.Joined(lacking), joined), Law.Difference, () => $"{print(y)} with {print(lacking)} is not {print(joined)}");
        foreach (var part in lacking.Decompose())
        {
            Hold(!part.LessOrEqual(y), Law.Difference, () => $"{print(part)} was sent to {print(y)}, which has it");
        }
    }

    private void CheckThree(T x, T y, T z) => Hold(
        Same(x.Joined(y).Joined(z), x.Joined(y.Joined(z))), Law.Associativity, () => $"of {print(x)}, {print(y)} and {print(z)}");

    private void CheckConvergence()
    {
        var expected = prototype.Bottom();
        foreach (var state in _states)
        {
            expected.Join(state);
        }

        var deltas = _deltas.Select(item => item.Delta).ToArray();
        var draw = new Draw(seed);
        var orders = deltas.Length <= AllOrders ? [.. Permutations(deltas.Length)] : new List<int[]>();
        while (deltas.Length > AllOrders && orders.Count < SomeOrders)
        {
            orders.Add(Shuffled(deltas.Length, ref draw));
        }

        foreach (var order in orders)
        {
            var state = prototype.Bottom();
            foreach (var index in order.Concat(order.Take(2)))
            {
                state.Join(deltas[index]);
            }

            Hold(Same(state, expected), Law.Convergence, () => string.Create(
                CultureInfo.InvariantCulture,
                $"deltas {string.Join(", ", order)} and the first two again make {print(state)}, the replicas' states {print(expected)}"));
        }
    }

    private static IEnumerable<int[]> Permutations(int count)
    {
        if (count == 0)
        {
            yield return [];
        }

        for (var last = 0; last < count; last++)
        {
            foreach (var rest in Permutations(count - 1))
            {
                yield return [.. rest.Select(index => index < last ? index : index + 1), last];
            }
        }
    }

    private static int[] Shuffled(int count, ref Draw draw)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        for (var index = count - 1; index > 0; index--)
        {
            var other = draw.Below(index + 1);
            (order[index], order[other]) = (order[other], order[index]);
        }

        return order;
    }

    private void Hold(bool holds, Law law, Func<string> detail)
    {
        if (!holds && _broken is null && !without.Contains(law))
        {
            _broken = (law, detail());
        }
    }
}
