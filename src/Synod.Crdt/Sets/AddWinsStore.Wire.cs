using Synod.Core;

namespace Synod.Crdt;

public sealed partial class AddWinsStore<T>
{
    // By first dot, so that a run of adds needs its dots only once, and each element follows the one that was added before it. Further
    // dots of concurrent adds come last.
    public void Write(CodecWriter writer, CausalContext context)
    {
        var entries = new (Dot First, T Element, Dots All)[Count];
        var next = 0;
        foreach (var (element, dots) in Table)
        {
            entries[next++] = (dots[0], element, dots);
        }

        Array.Sort(entries, static (left, right) => left.First.CompareTo(right.First));
        var front = new FrontCoding();
        writer.Unsigned((ulong)CountRuns(entries));
        for (int from = 0, to; from < entries.Length; from = to)
        {
            to = EndOfRun(entries, from);
            writer.Dot(entries[from].First, context);
            writer.Unsigned((ulong)(to - from));
            for (var index = from; index < to; index++)
            {
                var bytes = new CodecWriter(32);
                wire.Write(bytes, entries[index].Element);
                front.Write(writer, bytes.Span);
            }
        }

        WriteFurtherDots(writer, context, entries);
    }

    public AddWinsStore<T>? Read(ref CodecReader reader, CausalContext context)
    {
        var store = Empty();
        var entries = new List<(Dot First, T Element)>();
        var scratch = new CodecWriter();
        var front = new FrontCoding();
        for (var runs = reader.Elements(); runs > 0 && !reader.Failed; runs--)
        {
            var dot = reader.Dot(context);
            var length = reader.Elements();
            if (length == 0 || (entries.Count > 0 && (dot.CompareTo(entries[^1].First) <= 0 || entries[^1].First.Next == dot)))
            {
                reader.Fail();
            }

            for (; length > 0 && !reader.Failed; length--, dot = dot.Next)
            {
                var element = Canonical.Read(front.Read(ref reader), wire, scratch, out var isValid);
                if (reader.Failed || !isValid || store.Contains(element!) || !context.Contains(dot))
                {
                    reader.Fail();
                    break;
                }

                entries.Add((dot, element!));
                store.Put(element!, new Dots(dot));
            }
        }

        store.ReadFurtherDots(ref reader, context, entries);
        return reader.Failed ? null : store;
    }

    private static void WriteFurtherDots(CodecWriter writer, CausalContext context, (Dot First, T Element, Dots All)[] entries)
    {
        writer.Unsigned((ulong)entries.Count(entry => entry.All.Count > 1));
        var last = -1;
        for (var index = 0; index < entries.Length; index++)
        {
            var dots = entries[index].All;
            if (dots.Count > 1)
            {
                writer.Unsigned((ulong)(index - last));
                writer.Unsigned((ulong)(dots.Count - 1));
                for (var further = 1; further < dots.Count; further++)
                {
                    writer.Dot(dots[further], context);
                }

                last = index;
            }
        }
    }

    private void ReadFurtherDots(ref CodecReader reader, CausalContext context, List<(Dot First, T Element)> entries)
    {
        var last = -1L;
        for (var count = reader.Elements(); count > 0 && !reader.Failed; count--)
        {
            var step = reader.Minimal();
            var further = reader.Elements();
            if (step == 0 || step > (ulong)entries.Count || (last += (long)step) >= entries.Count || further == 0)
            {
                reader.Fail();
                return;
            }

            var dots = new List<Dot> { entries[(int)last].First };
            for (; further > 0 && !reader.Failed; further--)
            {
                dots.Add(reader.Dot(context));
                if (dots[^1].CompareTo(dots[^2]) <= 0)
                {
                    reader.Fail();
                }
            }

            Put(entries[(int)last].Element, new Dots(dots));
        }
    }

    private static int CountRuns((Dot First, T Element, Dots All)[] entries)
    {
        var runs = 0;
        for (var from = 0; from < entries.Length; from = EndOfRun(entries, from))
        {
            runs++;
        }

        return runs;
    }

    private static int EndOfRun((Dot First, T Element, Dots All)[] entries, int from)
    {
        var to = from + 1;
        while (to < entries.Length && entries[to - 1].First.Next == entries[to].First)
        {
            to++;
        }

        return to;
    }
}
