using System.Globalization;
using System.Text;
using Synod.Core;
using Synod.Lab.Histories;

namespace Synod.Lab.Drawing;

/// <summary>
/// A history as a space-time diagram in plain text: a lane for each process from left to right, time downwards, one line for what
/// happens at one moment. A message is an arrow at its arrival, with the time that it took on the left; a lost one ends on its way.
/// </summary>
public static class SpaceTimeText
{
    private const int Margin = 19;
    private const int LeastWidth = 12;
    private const int MostWidth = 34;

    private static readonly Dictionary<EventKind, char> s_symbols = new()
    {
        [EventKind.Asked] = '▷',
        [EventKind.Answered] = '◁',
        [EventKind.Recorded] = '▪',
        [EventKind.Decided] = '★',
        [EventKind.Executed] = '●',
        [EventKind.TimedOut] = '◷',
        [EventKind.Crashed] = '✖',
        [EventKind.Started] = '↻',
        [EventKind.Lost] = '✗',
        [EventKind.Refused] = '○',
        [EventKind.Noted] = '·',
    };

    /// <summary>What the marks mean.</summary>
    public static string Legend { get; } =
        $"▶ arrives  {string.Join("  ", Drawing.Legend.Marks.Select(mark => $"{s_symbols[mark.Kind]} {mark.Meaning}"))}";

    /// <summary>The diagram, line by line, each ended by a line feed.</summary>
    public static string Draw(History history)
    {
        var rows = SpaceTimeRows.Of(history);
        var width = Math.Clamp(rows.Select(row => row.Width).Append(LeastWidth).Max(), LeastWidth, MostWidth);
        var text = new StringBuilder();
        var heading = new Canvas(Margin + history.Lanes.Count * width);
        heading.Write(5, "ms");
        heading.Write(10, "took");
        foreach (var lane in history.Lanes)
        {
            heading.Write(Center(lane.Index), lane.Name);
        }

        heading.AppendTo(text);
        var isUp = new bool[history.Lanes.Count];
        isUp.AsSpan().Fill(true);
        var before = Duration.Zero;
        var wait = LongWait(rows);
        foreach (var row in rows)
        {
            if (row.At - before > wait)
            {
                var gap = Lanes();
                gap.Write(6, "⋮");
                gap.AppendTo(text);
            }

            before = row.At;
            Line(row).AppendTo(text);
        }

        return text.ToString();

        int Center(int lane) => Margin + lane * width;

        Canvas Lanes()
        {
            var canvas = new Canvas(Margin + history.Lanes.Count * width);
            foreach (var lane in history.Lanes)
            {
                canvas.Write(Center(lane.Index), isUp[lane.Index] ? "│" : " ");
            }

            return canvas;
        }

        Canvas Line(SpaceTimeRow row)
        {
            var canvas = Lanes();
            canvas.Write(0, string.Create(CultureInfo.InvariantCulture, $"{row.At.Nanoseconds / 1_000_000m,8:0.0}"));
            if (row.Across is { } across)
            {
                canvas.Write(Margin, $"╌╌ {across} ".PadRight(history.Lanes.Count * width - 2, '╌'));
                return canvas;
            }

            foreach (var (lane, mark) in row.Marks)
            {
                isUp[lane] = mark.Kind switch { EventKind.Crashed => false, EventKind.Started => true, _ => isUp[lane] };
                canvas.Write(Center(lane), Cut($"{s_symbols[mark.Kind]} {mark.Text}", width - 1));
            }

            if (row.Arrow is { } arrow)
            {
                Arrow(canvas, arrow, Center);
            }

            return canvas;
        }
    }

    private static void Arrow(Canvas canvas, SpaceTimeArrow arrow, Func<int, int> center)
    {
        if (arrow.Took is { } took)
        {
            canvas.Write(9, string.Create(CultureInfo.InvariantCulture, $"+{took.Nanoseconds / 1_000_000m:0.0}"));
        }

        var start = center(arrow.From);
        foreach (var isRight in new[] { false, true })
        {
            var targets = arrow.To.Where(to => to > arrow.From == isRight).ToList();
            if (targets.Count == 0)
            {
                continue;
            }

            var nearest = isRight ? targets.Min() : targets.Max();
            var (end, step) = (center(isRight ? targets.Max() : targets.Min()), isRight ? 1 : -1);
            var line = arrow.Ends ? '─' : '╌';
            for (var at = start + step; at != end; at += step)
            {
                canvas.Write(at, canvas[at] is ' ' ? line.ToString() : "┼");
            }

            foreach (var target in targets)
            {
                canvas.Write(center(target) - step, arrow.Ends && !arrow.IsMissed ? isRight ? "▶" : "◀" : "✗");
            }

            var room = Math.Abs(center(nearest) - start) - 5;
            var label = $" {Cut(arrow.Name, room)} ";
            canvas.Write(isRight ? start + 2 : start - 1 - label.Length, label);
        }

        canvas.Write(start, arrow.To.Max() < arrow.From ? "┤" : arrow.To.Min() > arrow.From ? "├" : "┼");
    }

    /// <summary>A wait that is much longer than others, and a good part of the whole, gets a line of its own.</summary>
    private static Duration LongWait(IReadOnlyList<SpaceTimeRow> rows)
    {
        var waits = rows.Zip(rows.Skip(1), (first, second) => (second.At - first.At).Nanoseconds).Where(wait => wait > 0).Order().ToList();
        return waits.Count == 0 ? Duration.Zero : new Duration(Math.Max(waits[waits.Count / 2] * 8, waits.Sum() / 10));
    }

    private static string Cut(string text, int length) =>
        text.Length <= length ? text : string.Concat(text.AsSpan(0, Math.Max(0, length - 1)), "…");

    /// <summary>One line that is written over and over.</summary>
    private sealed class Canvas
    {
        private readonly char[] _cells;

        public Canvas(int width)
        {
            _cells = new char[width];
            _cells.AsSpan().Fill(' ');
        }

        public char this[int at] => _cells[at];

        public void Write(int at, string text)
        {
            foreach (var letter in text)
            {
                if (at < _cells.Length)
                {
                    _cells[at++] = letter;
                }
            }
        }

        public void AppendTo(StringBuilder text) => text.Append(new string(_cells).TrimEnd()).Append('\n');
    }
}
