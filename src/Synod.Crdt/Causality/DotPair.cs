using Synod.Core;

namespace Synod.Crdt;

/// <summary>Two stores side by side under one context.</summary>
public sealed class DotPair<TFirst, TSecond>(TFirst first, TSecond second) : IDotStore<DotPair<TFirst, TSecond>>
    where TFirst : class, IDotStore<TFirst>
    where TSecond : class, IDotStore<TSecond>
{
    public TFirst First { get; } = first;

    public TSecond Second { get; } = second;

    public bool IsEmpty => First.IsEmpty && Second.IsEmpty;

    public DotPair<TFirst, TSecond> Empty() => new(First.Empty(), Second.Empty());

    /// <summary>A change to the first store alone.</summary>
    public Change<DotPair<TFirst, TSecond>> OfFirst(Change<TFirst> change) => new(new(change.Store, Second.Empty()), change.Seen);

    /// <summary>A change to the second store alone.</summary>
    public Change<DotPair<TFirst, TSecond>> OfSecond(Change<TSecond> change) => new(new(First.Empty(), change.Store), change.Seen);

    public bool Join(CausalContext mine, DotPair<TFirst, TSecond> other, CausalContext theirs) =>
        First.Join(mine, other.First, theirs) | Second.Join(mine, other.Second, theirs);

    public DotPair<TFirst, TSecond> Unseen(CausalContext known) => new(First.Unseen(known), Second.Unseen(known));

    public void ListDots(List<Dot> dots, CausalContext? among = null)
    {
        First.ListDots(dots, among);
        Second.ListDots(dots, among);
    }

    public IEnumerable<(Dot Dot, DotPair<TFirst, TSecond> Part)> Parts()
    {
        foreach (var (dot, part) in First.Parts())
        {
            yield return (dot, new(part, Second.Empty()));
        }

        foreach (var (dot, part) in Second.Parts())
        {
            yield return (dot, new(First.Empty(), part));
        }
    }

    public void Write(CodecWriter writer, CausalContext context)
    {
        First.Write(writer, context);
        Second.Write(writer, context);
    }

    public DotPair<TFirst, TSecond>? Read(ref CodecReader reader, CausalContext context)
    {
        var first = First.Read(ref reader, context);
        var second = Second.Read(ref reader, context);
        return first is null || second is null ? null : new(first, second);
    }

    public override string ToString() => $"({First}, {Second})";
}
