using Synod.Core;

namespace Synod.Crdt;

/// <summary>
/// A value of a map that may be a flag, a counter, a register, a set or again a map, without a schema. Replicas that use one key in two
/// ways at the same time keep both, so there is nothing to disagree on.
/// </summary>
public sealed class Field : IDotStore<Field>
{
    /// <summary>Maps in maps in maps: deeper ones are malformed.</summary>
    public const int MaxDepth = 32;

    private readonly int _depth;

    public Field()
        : this(0)
    {
    }

    private Field(int depth) => _depth = depth;

    public DotSet Flag { get; private init; } = new();

    /// <summary>Amounts by the increments that brought them; <see cref="Count"/> is their sum.</summary>
    public DotFun<long> Counter { get; private init; } = new(Wires.Int64);

    public DotFun<Key> Register { get; private init; } = new(Wires.Bytes);

    public AddWinsStore<Key> Set { get; private init; } = new(Wires.Bytes);

    /// <summary>The map under this field; null if there never was one.</summary>
    public DotMap<string, Field>? Map { get; private set; }

    public bool IsEmpty => Flag.IsEmpty && Counter.IsEmpty && Register.IsEmpty && Set.IsEmpty && Map is not { IsEmpty: false };

    public bool IsEnabled => !Flag.IsEmpty;

    public Int128 Count => ResettableCounter.Sum(Counter);

    /// <summary>What is under a key of the map.</summary>
    public Field? this[string key] => Map?[key];

    public Field Empty() => new(_depth);

    public Change<Field> Enable(DotSource source) => Of(Flag.Raise(source), static (field, store) => new(field._depth) { Flag = store });

    public Change<Field> Disable() => Of(Flag.Lower(), static (field, store) => new(field._depth) { Flag = store });

    public Change<Field> Increment(DotSource source, long amount) =>
        Of(ResettableCounter.Increment(Counter, source, amount), static (field, store) => new(field._depth) { Counter = store });

    /// <summary>Makes one increment of all that a replica has made; see <see cref="ResettableCounter.Fold"/>.</summary>
    public Change<Field> Fold(DotSource source, ReplicaId replica) =>
        Of(ResettableCounter.FoldOwn(Counter, source, replica), static (field, store) => new(field._depth) { Counter = store });

    public Change<Field> Assign(DotSource source, Key value) =>
        Of(Register.WriteAll(source, value), static (field, store) => new(field._depth) { Register = store });

    public Change<Field> Add(DotSource source, Key element) =>
        Of(Set.Add(source, element), static (field, store) => new(field._depth) { Set = store });

    public Change<Field> Remove(Key element) => Of(Set.Remove(element), static (field, store) => new(field._depth) { Set = store });

    /// <summary>Makes a change under a key of the map that is here.</summary>
    /// <exception cref="InvariantViolation">The map would lie deeper than <see cref="MaxDepth"/>.</exception>
    public Change<Field> Update(DotSource source, string key, Func<Field, DotSource, Change<Field>> change)
    {
        Invariant.Check(_depth < MaxDepth, "MapsAreNotTooDeep");
        return Of((Map ?? Inner()).Update(source, key, change), static (field, store) => new(field._depth) { Map = store });
    }

    /// <summary>Removes a key of the map that is here.</summary>
    public Change<Field> Remove(string key) => Of((Map ?? Inner()).Remove(key), static (field, store) => new(field._depth) { Map = store });

    public bool Join(CausalContext mine, Field other, CausalContext theirs)
    {
        var changed = Flag.Join(mine, other.Flag, theirs)
            | Counter.Join(mine, other.Counter, theirs)
            | Register.Join(mine, other.Register, theirs)
            | Set.Join(mine, other.Set, theirs);
        if (Map is not null || other.Map is not null)
        {
            Map ??= Inner();
            changed |= Map.Join(mine, other.Map ?? Inner(), theirs);
        }

        return changed;
    }

    public Field Unseen(CausalContext known) => new(_depth)
    {
        Flag = Flag.Unseen(known),
        Counter = Counter.Unseen(known),
        Register = Register.Unseen(known),
        Set = Set.Unseen(known),
        Map = Map?.Unseen(known),
    };

    public void ListDots(List<Dot> dots, CausalContext? among = null)
    {
        Flag.ListDots(dots, among);
        Counter.ListDots(dots, among);
        Register.ListDots(dots, among);
        Set.ListDots(dots, among);
        Map?.ListDots(dots, among);
    }

    public IEnumerable<(Dot Dot, Field Part)> Parts() =>
        Flag.Parts().Select(item => (item.Dot, new Field(_depth) { Flag = item.Part }))
            .Concat(Counter.Parts().Select(item => (item.Dot, new Field(_depth) { Counter = item.Part })))
            .Concat(Register.Parts().Select(item => (item.Dot, new Field(_depth) { Register = item.Part })))
            .Concat(Set.Parts().Select(item => (item.Dot, new Field(_depth) { Set = item.Part })))
            .Concat((Map ?? Inner()).Parts().Select(item => (item.Dot, new Field(_depth) { Map = item.Part })));

    public void Write(CodecWriter writer, CausalContext context)
    {
        Write(writer, context, Flag);
        Write(writer, context, Counter);
        Write(writer, context, Register);
        Write(writer, context, Set);
        Write(writer, context, Map ?? Inner());
    }

    public Field? Read(ref CodecReader reader, CausalContext context)
    {
        var field = new Field(_depth)
        {
            Flag = Read(ref reader, context, Flag),
            Counter = Read(ref reader, context, Counter),
            Register = Read(ref reader, context, Register),
            Set = Read(ref reader, context, Set),
        };
        if (_depth < MaxDepth)
        {
            field.Map = Read(ref reader, context, Inner());
        }
        else if (reader.Bool())
        {
            reader.Fail();
        }

        return reader.Failed ? null : field;
    }

    public override string ToString() => string.Join(" ", Said());

    private IEnumerable<string> Said()
    {
        if (IsEnabled)
        {
            yield return "on";
        }

        if (!Counter.IsEmpty)
        {
            yield return $"{Count}";
        }

        if (!Register.IsEmpty)
        {
            yield return $"{Register}";
        }

        if (!Set.IsEmpty)
        {
            yield return $"{Set}";
        }

        if (Map is { IsEmpty: false })
        {
            yield return $"{Map}";
        }
    }

    private static void Write<TStore>(CodecWriter writer, CausalContext context, TStore store)
        where TStore : class, IDotStore<TStore>
    {
        writer.Bool(!store.IsEmpty);
        if (!store.IsEmpty)
        {
            store.Write(writer, context);
        }
    }

    private static TStore Read<TStore>(ref CodecReader reader, CausalContext context, TStore prototype)
        where TStore : class, IDotStore<TStore>
    {
        if (!reader.Bool())
        {
            return prototype.Empty();
        }

        var store = prototype.Read(ref reader, context);
        if (store is null or { IsEmpty: true })
        {
            reader.Fail();
        }

        return store ?? prototype.Empty();
    }

    private Change<Field> Of<TStore>(Change<TStore> change, Func<Field, TStore, Field> put) => new(put(this, change.Store), change.Seen);

    private DotMap<string, Field> Inner() => new(Wires.Text, new Field(_depth + 1));
}
