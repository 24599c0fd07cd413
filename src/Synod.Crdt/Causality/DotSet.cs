using Synod.Core;

namespace Synod.Crdt;

/// <summary>Just dots: a store that says whether something is there.</summary>
public sealed class DotSet : IDotStore<DotSet>
{
    private Dots _dots;

    public bool IsEmpty => _dots.IsEmpty;

    public DotSet Empty() => new();

    /// <summary>Puts one fresh dot in the place of all that are here.</summary>
    public Change<DotSet> Raise(DotSource source)
    {
        var dot = source.Next();
        var lowered = Lower();
        lowered.Seen.Add(dot);
        lowered.Store._dots = new Dots(dot);
        return lowered;
    }

    /// <summary>Removes the dots that are here.</summary>
    public Change<DotSet> Lower()
    {
        var dots = new List<Dot>();
        ListDots(dots);
        return new(new DotSet(), CausalContext.Of(dots));
    }

    public bool Join(CausalContext mine, DotSet other, CausalContext theirs)
    {
        var joined = Dots.Join(_dots, mine, other._dots, theirs);
        var changed = !joined.Equals(_dots);
        _dots = joined;
        return changed;
    }

    public DotSet Unseen(CausalContext known) => new() { _dots = _dots.Where(known, false) };

    public void ListDots(List<Dot> dots, CausalContext? among = null)
    {
        for (var index = 0; index < _dots.Count; index++)
        {
            if (among?.Contains(_dots[index]) != false)
            {
                dots.Add(_dots[index]);
            }
        }
    }

    public IEnumerable<(Dot Dot, DotSet Part)> Parts()
    {
        for (var index = 0; index < _dots.Count; index++)
        {
            yield return (_dots[index], new DotSet { _dots = new Dots(_dots[index]) });
        }
    }

    public void Write(CodecWriter writer, CausalContext context)
    {
        writer.Unsigned((ulong)_dots.Count);
        for (var index = 0; index < _dots.Count; index++)
        {
            writer.Dot(_dots[index], context);
        }
    }

    public DotSet? Read(ref CodecReader reader, CausalContext context)
    {
        var dots = new List<Dot>();
        for (var count = reader.Elements(); count > 0 && !reader.Failed; count--)
        {
            dots.Add(reader.Dot(context));
            if (dots.Count > 1 && dots[^1].CompareTo(dots[^2]) <= 0)
            {
                reader.Fail();
            }
        }

        return reader.Failed ? null : new() { _dots = new Dots(dots) };
    }

    public override string ToString() => IsEmpty ? "off" : "on";
}
