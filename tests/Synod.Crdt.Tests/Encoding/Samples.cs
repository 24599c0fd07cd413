using System.Text;
using Synod.Core;

namespace Synod.Crdt.Tests.Encoding;

using static Replicas;

/// <summary>A state of every type with something of everything in it: gaps, concurrency, removals.</summary>
internal abstract class Sample
{
    public required byte[] Bytes { get; init; }

    public abstract Decoding Read(byte[] bytes, out byte[]? again, int maxBytes = StateCodec.DefaultMaxBytes);

    public abstract void RoundTrip();
}

internal sealed class Sample<T>(T state) : Sample
    where T : class, ILattice<T>
{
    public override Decoding Read(byte[] bytes, out byte[]? again, int maxBytes = StateCodec.DefaultMaxBytes)
    {
        var outcome = StateCodec.Decode(state, bytes, out var read, maxBytes);
        again = read is null ? null : StateCodec.Encode(read);
        Assert.Equal(outcome == Decoding.Ok, read is not null);
        return outcome;
    }

    public override void RoundTrip()
    {
        AssertEqual(state, Sent(state));
        AssertEqual(state.Bottom(), Sent(state.Bottom()));
        Assert.All(state.Decompose(), part => AssertEqual(part, Sent(part)));
        Assert.Equal($"{state}", $"{Sent(state)}");
    }
}

internal static class Samples
{
    public static IReadOnlyDictionary<string, Sample> All { get; } = new Dictionary<string, Sample>
    {
        ["GCounter"] = Of(new GCounter(), static (counter, me, n) => counter.Increment(me, (ulong)n * 100)),
        ["PnCounter"] = Of(new PnCounter(), static (counter, me, n) => counter.Add(me, n % 2 == 0 ? n : -n)),
        ["BoundedCounter"] = Of(new BoundedCounter(), Bounded),
        ["ResettableCounter"] = Of(new ResettableCounter(), static (counter, me, n) => n == 4 ? counter.Reset() : counter.Add(me, -n)),
        ["LwwRegister"] = Of(new LwwRegister<string>(Wires.Text), static (register, me, n) => register.Set(me, At(n * 1_000), $"é{n}")),
        ["MvRegister"] = Of(new MvRegister<string>(Wires.Text), static (register, me, n) => register.Set(me, $"value {n}")),
        ["EnableWinsFlag"] = Of(new EnableWinsFlag(), static (flag, me, _) => flag.Enable(me)),
        ["DisableWinsFlag"] = Of(new DisableWinsFlag(), static (flag, me, _) => flag.Disable(me)),
        ["GSet"] = Of(new GSet<string>(Wires.Text), static (set, _, n) => set.Add($"element {n}")),
        ["TwoPhaseSet"] = Of(new TwoPhaseSet<long>(Wires.Int64), static (set, _, n) => n % 3 == 0 ? set.Remove(n - 1) : set.Add(n * 50)),
        ["LwwElementSet"] = Of(
            new LwwElementSet<string>(Wires.Text, Bias.Remove),
            static (set, me, n) => n % 3 == 0 ? set.Remove(me, At(n), "e1") : set.Add(me, At(n), $"e{n % 4}")),
        ["OrSet"] = Of(new OrSet<string>(Wires.Text), static (set, me, n) => n % 4 == 3 ? set.Remove("element 1") : set.Add(me, $"element {n % 5}")),
        ["RemoveWinsSet"] = Of(
            new RemoveWinsSet<string>(Wires.Text), static (set, me, n) => n % 3 == 0 ? set.Remove(me, "e1") : set.Add(me, $"e{n % 4}")),
        ["OrMap"] = Of(new OrMap<string, Field>(Wires.Text, new Field()), Mapped),
        ["Sequence"] = Of(new Sequence<Rune>(Wires.Rune), static (text, me, n) => n % 4 == 3 ? text.Delete(me, 1, 2) : text.Insert(me, n % 3 == 0 ? 0 : text.Count / 2, $"ab{n}")),
    };

    private static Sample<T> Of<T>(T prototype, Func<T, ReplicaId, int, T> operation)
        where T : class, ILattice<T>
    {
        T[] states = [prototype.Bottom(), prototype.Bottom()];
        for (var n = 1; n <= 8; n++)
        {
            var delta = operation(states[n % 2], n % 2 == 0 ? A : B, n);
            if (n == 5)
            {
                states[0].Join(states[1]);
            }

            // The other replica misses a delta now and then.
            if (n % 4 != 2)
            {
                states[1 - n % 2].Join(delta);
            }
        }

        var state = states[0].Joined(states[1]);
        return new(state) { Bytes = StateCodec.Encode(state) };
    }

    private static BoundedCounter Bounded(BoundedCounter counter, ReplicaId me, int n)
    {
        if (n > 6)
        {
            Assert.True(counter.TryDecrement(me, 1, out var taken));
            return taken;
        }

        return n == 5 && counter.TryTransfer(me, C, 1, out var given) ? given : counter.Increment(me, (ulong)n);
    }

    private static OrMap<string, Field> Mapped(OrMap<string, Field> map, ReplicaId me, int n) => map.Update(me, $"k{n % 3}", (field, source) => n switch
    {
        1 => field.Enable(source),
        2 => field.Assign(source, Key.Of("value")),
        3 => field.Add(source, Key.Of("element")),
        4 => field.Update(source, "inner", static (inner, dots) => inner.Increment(dots, 3)),
        _ => field.Increment(source, n),
    });
}
