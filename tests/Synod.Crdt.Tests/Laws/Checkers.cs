using System.Globalization;
using System.Text;
using Synod.Core;
using Synod.Crdt.Laws;

namespace Synod.Crdt.Tests.Laws;

/// <summary>Every type with its operations and, where the order of happening says it all, its specification.</summary>
internal static class Checkers
{
    public static LawChecker<GCounter> GCounter() => new(
        new(),
        new Operation<GCounter>("add", 3, static (counter, me, amount) => counter.Increment(me, (ulong)amount)))
    {
        Specification = static seen => Text(seen.Sum(what => what.Argument)),
    };

    public static LawChecker<PnCounter> PnCounter() => new(
        new(),
        new Operation<PnCounter>("add", 3, static (counter, me, amount) => counter.Add(me, amount)),
        new Operation<PnCounter>("take", 2, static (counter, me, amount) => counter.Add(me, -amount - 1)))
    {
        Specification = static seen => Text(seen.Sum(what => what.Operation == "add" ? what.Argument : -what.Argument - 1)),
    };

    public static LawChecker<BoundedCounter> BoundedCounter() => new(
        new(),
        new Operation<BoundedCounter>("add", 2, static (counter, me, amount) => counter.Increment(me, (ulong)amount + 1)),
        new Operation<BoundedCounter>("take", 2, static (counter, me, amount) => Delta(counter.TryDecrement(me, (ulong)amount + 1, out var delta), delta)),
        new Operation<BoundedCounter>("give", 3, static (counter, me, to) =>
            Delta(counter.TryTransfer(me, new ReplicaId(new NodeId(to + 1), 0xA0UL + (ulong)to), 1, out var delta), delta)));

    public static LawChecker<ResettableCounter> ResettableCounter() => new(
        new(),
        new Operation<ResettableCounter>("add", 2, static (counter, me, amount) => counter.Add(me, amount + 1)),
        new Operation<ResettableCounter>("reset", 1, static (counter, _, _) => counter.Reset()))
    {
        Specification = static seen => Text(Surviving(seen, "add", "reset").Sum(what => what.Argument + 1)),
    };

    public static LawChecker<ResettableCounter> FoldedCounter() => new(
        new(),
        new Operation<ResettableCounter>("add", 2, static (counter, me, amount) => counter.Add(me, amount + 1)),
        new Operation<ResettableCounter>("fold", 1, static (counter, me, _) => counter.Fold(me)),
        new Operation<ResettableCounter>("reset", 1, static (counter, _, _) => counter.Reset()));

    public static LawChecker<LwwRegister<long>> LwwRegister() => new(
        new(Wires.Int64),
        new Operation<LwwRegister<long>>("set", 3, static (register, me, value) => register.Set(me, Replicas.At(value), value)));

    public static LawChecker<MvRegister<long>> MvRegister() => new(
        new(Wires.Int64),
        new Operation<MvRegister<long>>("set", 2, static (register, me, value) => register.Set(me, value)),
        new Operation<MvRegister<long>>("clear", 1, static (register, _, _) => register.Clear()))
    {
        Specification = static seen => $"[{string.Join(", ",
            seen.Where(what => what.Operation == "set" && !seen.Any(later => later.HasSeen(what)))
                .OrderBy(what => what.Replica).ThenBy(what => what.Number).Select(what => what.Argument))}]",
    };

    public static LawChecker<EnableWinsFlag> EnableWinsFlag() => new(
        new(),
        new Operation<EnableWinsFlag>("enable", 1, static (flag, me, _) => flag.Enable(me)),
        new Operation<EnableWinsFlag>("disable", 1, static (flag, _, _) => flag.Disable()))
    {
        Specification = static seen => Surviving(seen, "enable", "disable").Any() ? "on" : "off",
    };

    public static LawChecker<DisableWinsFlag> DisableWinsFlag() => new(
        new(),
        new Operation<DisableWinsFlag>("enable", 1, static (flag, _, _) => flag.Enable()),
        new Operation<DisableWinsFlag>("disable", 1, static (flag, me, _) => flag.Disable(me)))
    {
        Specification = static seen => Surviving(seen, "disable", "enable").Any() ? "off" : "on",
    };

    public static LawChecker<GSet<string>> GSet() => new(
        new(Wires.Text),
        new Operation<GSet<string>>("add", 3, static (set, _, element) => set.Add(Element(element))))
    {
        Specification = static seen => Braced(seen.Select(what => Element(what.Argument))),
    };

    public static LawChecker<TwoPhaseSet<string>> TwoPhaseSet() => new(
        new(Wires.Text),
        new Operation<TwoPhaseSet<string>>("add", 2, static (set, _, element) => set.Add(Element(element))),
        new Operation<TwoPhaseSet<string>>("remove", 2, static (set, _, element) => set.Remove(Element(element))))
    {
        Print = static set => Braced(set.Elements),
        Specification = static seen => Braced(seen.Where(what => what.Operation == "add")
            .Where(add => !seen.Any(remove => remove.Operation == "remove" && remove.Argument == add.Argument
                && seen.Any(earlier => earlier.Operation == "add" && earlier.Argument == add.Argument && remove.HasSeen(earlier))))
            .Select(what => Element(what.Argument))),
    };

    public static LawChecker<LwwElementSet<string>> LwwElementSet(Bias bias) => new(
        new(Wires.Text, bias),
        new Operation<LwwElementSet<string>>("add", 2, static (set, me, element) => set.Add(me, Replicas.At(1), Element(element))),
        new Operation<LwwElementSet<string>>("remove", 2, static (set, me, element) => set.Remove(me, Replicas.At(1), Element(element))));

    public static LawChecker<OrSet<string>> OrSet() => new(
        new(Wires.Text),
        new Operation<OrSet<string>>("add", 2, static (set, me, element) => set.Add(me, Element(element))),
        new Operation<OrSet<string>>("remove", 2, static (set, _, element) => set.Remove(Element(element))),
        new Operation<OrSet<string>>("clear", 1, static (set, _, _) => set.Clear()))
    {
        Specification = AddWins,
    };

    public static LawChecker<RemoveWinsSet<string>> RemoveWinsSet() => new(
        new(Wires.Text),
        new Operation<RemoveWinsSet<string>>("add", 2, static (set, me, element) => set.Add(me, Element(element))),
        new Operation<RemoveWinsSet<string>>("remove", 2, static (set, me, element) => set.Remove(me, Element(element))))
    {
        Specification = static seen => Braced(
            seen.Where(what => !seen.Any(later => later.Argument == what.Argument && later.HasSeen(what)))
                .GroupBy(what => what.Argument)
                .Where(last => last.All(what => what.Operation == "add"))
                .Select(last => Element(last.Key))),
    };

    public static LawChecker<OrMap<string, AddWinsStore<long>>> MapOfSets() => new(
        new(Wires.Text, new AddWinsStore<long>(Wires.Int64)),
        new Operation<OrMap<string, AddWinsStore<long>>>("add", 4, static (map, me, what) =>
            map.Update(me, Element(what / 2), (set, source) => set.Add(source, what % 2))),
        new Operation<OrMap<string, AddWinsStore<long>>>("take", 2, static (map, me, what) =>
            map.Update(me, "a", (set, _) => set.Remove(what))),
        new Operation<OrMap<string, AddWinsStore<long>>>("remove", 2, static (map, _, key) => map.Remove(Element(key))))
    {
        Print = static map => Braced(map.Keys.SelectMany(key => map[key]!.Elements.Select(element => $"{key}{element}"))),
        Specification = static seen => Braced(seen.Where(what => what.Operation == "add")
            .Where(add => !seen.Any(later => later.HasSeen(add) && (later.Operation == "remove" ? later.Argument == add.Argument / 2
                : later.Operation == "take" && add.Argument == later.Argument)))
            .Select(what => $"{Element(what.Argument / 2)}{what.Argument % 2}")),
    };

    public static LawChecker<OrMap<string, Field>> MapOfFields() => new(
        new(Wires.Text, new Field()),
        new Operation<OrMap<string, Field>>("count", 2, static (map, me, key) =>
            map.Update(me, Element(key), static (field, source) => field.Increment(source, 1))),
        new Operation<OrMap<string, Field>>("inner", 2, static (map, me, what) => what == 0
            ? map.Update(me, "a", static (field, source) => field.Update(source, "x", static (inner, dots) => inner.Increment(dots, 10)))
            : map.Update(me, "a", static (field, _) => field.Remove("x"))),
        new Operation<OrMap<string, Field>>("other", 4, static (map, me, what) => map.Update(me, "b", (field, source) => what switch
        {
            0 => field.Enable(source),
            1 => field.Disable(),
            2 => field.Assign(source, Key.Of("v")),
            _ => field.Add(source, Key.Of("e")),
        })),
        new Operation<OrMap<string, Field>>("remove", 2, static (map, _, key) => map.Remove(Element(key))))
    {
        Print = static map => Text((long)(map["a"]?.Count ?? 0) + (long)(map["a"]?["x"]?.Count ?? 0)),
        Specification = static seen => Text(seen
            .Where(what => what is { Operation: "count", Argument: 0 } or { Operation: "inner", Argument: 0 })
            .Where(add => !seen.Any(later => later.HasSeen(add) && (later is { Operation: "remove", Argument: 0 }
                || (add.Operation == "inner" && later is { Operation: "inner", Argument: 1 }))))
            .Sum(what => what.Operation == "count" ? 1 : 10)),
    };

    public static LawChecker<Sequence<Rune>> Sequence() => new(
        new(Wires.Rune),
        new Operation<Sequence<Rune>>("front", 2, static (text, me, what) => text.Insert(me, 0, what == 0 ? "x" : "yz")),
        new Operation<Sequence<Rune>>("back", 1, static (text, me, _) => text.Insert(me, text.Count, "e")),
        new Operation<Sequence<Rune>>("middle", 1, static (text, me, _) => text.Insert(me, text.Count / 2, "m")),
        new Operation<Sequence<Rune>>("delete", 3, static (text, me, at) => at < text.Count ? text.Delete(me, at) : text.Bottom()));

    /// <summary>An element is there if an add was seen that no removal has seen.</summary>
    public static string AddWins(IReadOnlyList<Happening> seen) => Braced(seen.Where(what => what.Operation == "add")
        .Where(add => !seen.Any(later => later.HasSeen(add)
            && (later.Operation == "clear" || (later.Operation == "remove" && later.Argument == add.Argument))))
        .Select(what => Element(what.Argument)));

    public static string Element(int number) => ((char)('a' + number)).ToString();

    public static string Braced(IEnumerable<string> elements) => $"{{{string.Join(", ", elements.Distinct().Order(StringComparer.Ordinal))}}}";

    private static IEnumerable<Happening> Surviving(IReadOnlyList<Happening> seen, string raise, string lower) =>
        seen.Where(what => what.Operation == raise && !seen.Any(later => later.Operation == lower && later.HasSeen(what)));

    private static BoundedCounter Delta(bool isDone, BoundedCounter delta)
    {
        Assert.True(isDone || delta.IsBottom);
        return delta;
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
