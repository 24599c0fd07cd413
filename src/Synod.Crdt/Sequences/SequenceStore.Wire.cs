using Synod.Core;

namespace Synod.Crdt;

public sealed partial class SequenceStore<T>
{
    /// <summary>Deletions of one run; an element takes a byte at least, but these take none: few bytes must not stand for very many.</summary>
    private const int MaxDeletions = 16;

    // What was typed one after the other is a run: it needs its dots, its parent and its order once.
    public void Write(CodecWriter writer, CausalContext context)
    {
        var elements = _nodes.Values.Select(node => node.Element).OrderBy(element => element.Id).ToList();
        writer.Unsigned((ulong)Runs(elements, Continues, int.MaxValue).Count());
        foreach (var (from, to) in Runs(elements, Continues, int.MaxValue))
        {
            writer.Dot(elements[from].Id, context);
            writer.Unsigned((ulong)(to - from));
            writer.Bool(elements[from].IsLeft);
            WriteReference(writer, elements[from].Parent, context);
            writer.Unsigned(elements[from].Order);
            for (var index = from; index < to; index++)
            {
                writer.Value(elements[index].Value, _wire);
            }
        }

        var deletions = _deletions.OrderBy(item => item.Key).ToList();
        writer.Unsigned((ulong)Runs(deletions, Continues, MaxDeletions).Count());
        foreach (var (from, to) in Runs(deletions, Continues, MaxDeletions))
        {
            writer.Dot(deletions[from].Key, context);
            writer.Unsigned((ulong)(to - from));
            WriteReference(writer, deletions[from].Value, context);
        }
    }

    public SequenceStore<T>? Read(ref CodecReader reader, CausalContext context)
    {
        var store = Empty();
        var last = default(SequenceElement<T>);
        for (var runs = reader.Elements(); runs > 0 && !reader.Failed; runs--)
        {
            var (id, length) = (reader.Dot(context), reader.Elements());
            var isLeft = reader.Bool();
            var parent = ReadReference(ref reader, context);
            var order = reader.Minimal();
            if (length == 0 || (isLeft && parent == Dot.None))
            {
                reader.Fail();
            }

            for (var isFirst = true; length > 0 && !reader.Failed; length--, isFirst = false)
            {
                var value = reader.Value(_wire);
                var isSound = order is > 0 and <= Dot.MaxCounter && context.Contains(id) && (last is null || id.CompareTo(last.Id) > 0);
                if (reader.Failed || !isSound)
                {
                    reader.Fail();
                    break;
                }

                var element = new SequenceElement<T>(id, parent, isLeft, order, value!);
                if (isFirst && last is not null && Continues(last, element))
                {
                    reader.Fail();
                    break;
                }

                store.Put(element);
                (last, parent, isLeft, id, order) = (element, id, false, id.Next, order + 1);
            }
        }

        store.ReadDeletions(ref reader, context);
        return reader.Failed ? null : store;
    }

    private void ReadDeletions(ref CodecReader reader, CausalContext context)
    {
        var last = default(KeyValuePair<Dot, Dot>?);
        var lastLength = 0UL;
        for (var runs = reader.Elements(); runs > 0 && !reader.Failed; runs--)
        {
            var dot = reader.Dot(context);
            var length = reader.Minimal();
            var target = ReadReference(ref reader, context);
            var continues = last is { } before && lastLength < MaxDeletions && Continues(before, new(dot, target));
            if (length is 0 or > MaxDeletions || target == Dot.None || continues)
            {
                reader.Fail();
            }

            lastLength = length;

            for (; length > 0 && !reader.Failed; length--)
            {
                if (!context.Contains(dot) || target.Counter > Dot.MaxCounter || dot.CompareTo(last?.Key ?? Dot.None) <= 0)
                {
                    reader.Fail();
                    break;
                }

                PutDeletion(dot, target);
                last = new(dot, target);
                (dot, target) = (dot.Next, target.Next);
            }
        }
    }

    private static IEnumerable<(int From, int To)> Runs<TItem>(List<TItem> items, Func<TItem, TItem, bool> continues, int most)
    {
        for (int from = 0, to; from < items.Count; from = to)
        {
            to = from + 1;
            while (to < items.Count && to - from < most && continues(items[to - 1], items[to]))
            {
                to++;
            }

            yield return (from, to);
        }
    }

    private static bool Continues(SequenceElement<T> before, SequenceElement<T> after) =>
        before.Id.Next == after.Id && after.Parent == before.Id && !after.IsLeft && after.Order == before.Order + 1;

    private static bool Continues(KeyValuePair<Dot, Dot> before, KeyValuePair<Dot, Dot> after) =>
        before.Key.Next == after.Key && before.Value.Next == after.Value;

    /// <summary>An element that may not be in the context: its replica's place there if it has one, or else its name.</summary>
    private static void WriteReference(CodecWriter writer, Dot dot, CausalContext context)
    {
        var index = context.IndexOf(dot.Replica);
        writer.Byte((byte)(dot == Dot.None ? 0 : index < 0 ? 2 : 1));
        if (dot == Dot.None)
        {
            return;
        }

        if (index < 0)
        {
            writer.Replica(dot.Replica);
            writer.Unsigned(dot.Counter);
            return;
        }

        writer.Dot(dot, context);
    }

    private static Dot ReadReference(ref CodecReader reader, CausalContext context)
    {
        var kind = reader.Byte();
        if (kind == 0)
        {
            return Dot.None;
        }

        var replica = kind == 1 ? context.ReplicaAt(ref reader) : reader.Replica();
        var dot = new Dot(replica, reader.Minimal());
        if (kind > 2 || dot.Counter is 0 or > Dot.MaxCounter || (kind == 2 && context.IndexOf(replica) >= 0))
        {
            reader.Fail();
        }

        return dot;
    }
}
