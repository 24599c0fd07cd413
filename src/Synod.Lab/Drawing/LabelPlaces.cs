namespace Synod.Lab.Drawing;

/// <summary>The room that a text takes: a rectangle about its centre, turned as the text is.</summary>
/// <param name="Angle">In radians.</param>
internal readonly record struct LabelBox(double X, double Y, double Angle, double Width, double Height)
{
    /// <summary>Two rectangles are apart if their shadows are, in the direction of a side of either.</summary>
    public bool Overlaps(in LabelBox other) => !IsApart(this, other, Angle) && !IsApart(this, other, Angle + Math.PI / 2)
        && !IsApart(this, other, other.Angle) && !IsApart(this, other, other.Angle + Math.PI / 2);

    private static bool IsApart(in LabelBox left, in LabelBox right, double direction)
    {
        var (sin, cos) = Math.SinCos(direction);
        var distance = Math.Abs((left.X - right.X) * cos + (left.Y - right.Y) * sin);
        return distance >= left.Reach(direction) + right.Reach(direction);
    }

    private double Reach(double direction)
    {
        var (sin, cos) = Math.SinCos(direction - Angle);
        return (Width * Math.Abs(cos) + Height * Math.Abs(sin)) / 2;
    }
}

/// <summary>Finds room for texts that may stand in several places, among things that stand where they stand.</summary>
/// <param name="fixtures">What cannot move.</param>
/// <param name="texts">The places of each text, the best first.</param>
internal sealed class LabelPlaces(IReadOnlyList<LabelBox> fixtures, IReadOnlyList<LabelBox[]> texts)
{
    /// <summary>How many texts in a row may step aside, each for the one before.</summary>
    private const int LongestChain = 3;

    private const int Nowhere = -1;

    private readonly int[] _chosen = [.. Enumerable.Repeat(Nowhere, texts.Count)];
    private readonly int[][] _open = [.. texts.Select(places => Enumerable.Range(0, places.Length)
        .Where(place => !fixtures.Any(fixture => fixture.Overlaps(places[place]))).ToArray())];

    /// <summary>
    /// The index of a place for each text: the first that is free; else one from which others can step aside; else the one that covers
    /// the fewest texts, and of these the fewest fixtures.
    /// </summary>
    public IReadOnlyList<int> Arrange()
    {
        for (var text = 0; text < texts.Count; text++)
        {
            if (!Settles(text, LongestChain))
            {
                _chosen[text] = LeastCovering(text);
            }
        }

        return _chosen;
    }

    /// <summary>Finds a text a place where it covers nothing, perhaps by moving others; if there is none, all stay where they are.</summary>
    private bool Settles(int text, int chain)
    {
        var before = _chosen[text];
        foreach (var place in _open[text])
        {
            _chosen[text] = place;
            if (!Covered(text, place).Any())
            {
                return true;
            }
        }

        foreach (var place in chain > 0 ? _open[text] : [])
        {
            _chosen[text] = place;
            if (Covered(text, place).Take(2).ToList() is [var other] && Settles(other, chain - 1))
            {
                return true;
            }
        }

        _chosen[text] = before;
        return false;
    }

    private int LeastCovering(int text) => Enumerable.Range(0, texts[text].Length)
        .MinBy(place => (Covered(text, place).Count(), fixtures.Count(fixture => fixture.Overlaps(texts[text][place]))));

    /// <summary>The texts that one would stand on.</summary>
    private IEnumerable<int> Covered(int text, int place) => Enumerable.Range(0, texts.Count).Where(other =>
        other != text && _chosen[other] != Nowhere && texts[other][_chosen[other]].Overlaps(texts[text][place]));
}
