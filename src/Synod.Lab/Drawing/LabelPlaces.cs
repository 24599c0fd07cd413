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

/// <summary>Finds room for texts that may stand in several places, one after the other.</summary>
internal sealed class LabelPlaces
{
    private readonly List<LabelBox> _taken = [];

    /// <summary>Something stands here, whatever it covers.</summary>
    public void Take(in LabelBox box) => _taken.Add(box);

    /// <summary>Takes the first place that is free, or the one that covers the least; its index.</summary>
    public int TakeBest(ReadOnlySpan<LabelBox> places)
    {
        var (best, least) = (0, int.MaxValue);
        for (var index = 0; index < places.Length && least > 0; index++)
        {
            var covered = 0;
            foreach (var taken in _taken)
            {
                covered += taken.Overlaps(places[index]) ? 1 : 0;
            }

            if (covered < least)
            {
                (best, least) = (index, covered);
            }
        }

        _taken.Add(places[best]);
        return best;
    }
}
