using System.Text;
using Synod.Core;
using Synod.Lab.Histories;
using static Synod.Lab.Drawing.SvgPicture;

namespace Synod.Lab.Drawing;

/// <summary>
/// A history as a picture: lanes from left to right, time downwards, messages slanted from where they left to where they arrived.
/// Moments stand in order and apart; long waits are shortened, since the times are written on the left. Every event is an element
/// that names its number and tells its details.
/// </summary>
internal sealed class SvgSpaceTime
{
    private const double TimeWidth = 70;
    private const double Stack = 15;
    private const double LeastGap = 13;
    private const double MostGap = 60;
    private const double ForArrival = 7;
    private const double PixelsPerMs = 4;
    private const double HeadLength = 12;
    private const double LabelLetter = 6.3;
    private const double MarkLetter = 7;
    private const double MarkText = 11;
    private const double TextHeight = 11;

    /// <summary>How far the middle of a label is above the line that it is written on.</summary>
    private const double LabelMiddle = 4;

    /// <summary>How far from an arrow's end its words may stand, in lanes. Best is beyond the middle, where arrows that cross are apart.</summary>
    private static readonly double[] s_fromEnd = [0.35, 0.42, 0.5, 0.28, 0.58, 0.65, 0.22, 0.72, 0.78, 1.35, 1.5, 1.65, 2.35, 2.5, 2.65];

    private readonly History _history;
    private readonly StringBuilder _body;
    private readonly double _left;
    private readonly double _spacing;
    private readonly SortedDictionary<long, double> _moments = [];
    private readonly Dictionary<int, double> _places = [];
    private readonly Dictionary<int, HistoryEvent> _ends;
    private readonly double _bottom;

    private SvgSpaceTime(History history, double left, double top, StringBuilder body)
    {
        (_history, _left, _body) = (history, left + TimeWidth, body);
        var (mark, label) = (Longest(item => item.Transit is null && item.Lane >= 0 ? item.Text : ""), Longest(item => item.Transit?.Name ?? ""));
        _spacing = Math.Clamp(Math.Max(mark * MarkLetter + 27, label * LabelLetter * 2), 118, 240);
        _ends = history.Events.Where(item => item.Kind is EventKind.Arrived or EventKind.Missed).ToDictionary(item => item.Transit!.Number);
        _bottom = Place(top + 26);
        Top = top;
    }

    private double Top { get; }

    private int Longest(Func<HistoryEvent, string> text) => _history.Events.Select(item => text(item).Length).DefaultIfEmpty().Max();

    public static (double Width, double Height) Draw(History history, double left, double top, StringBuilder body)
    {
        var picture = new SvgSpaceTime(history, left, top, body);
        picture.Lanes();
        picture.Times();

        // Words over arrows and marks over both, so that they can be read.
        var messages = history.Events.Where(item => item.Kind is EventKind.Sent or EventKind.Lost).ToList();
        messages.ForEach(picture.Arrow);
        picture.Labels(messages);
        foreach (var item in history.Events.Where(item => item.Transit is null))
        {
            if (item.Kind == EventKind.Cut)
            {
                picture.Across(item);
            }
            else
            {
                picture.Mark(item);
            }
        }

        return (left + TimeWidth + history.Lanes.Count * picture._spacing, picture._bottom - top);
    }

    /// <summary>One line that says what the marks mean that these events have.</summary>
    /// <returns>How far to the right it goes.</returns>
    public static double Legend(IEnumerable<HistoryEvent> events, double left, double y, StringBuilder body)
    {
        var kinds = events.Select(item => item.Kind == EventKind.Missed ? EventKind.Lost : item.Kind).ToHashSet();
        foreach (var (kind, meaning) in Drawing.Legend.Marks.Where(mark => kinds.Contains(mark.Kind)))
        {
            Symbol(kind, left + 6, y, body);
            body.Append($"<text class=\"soft\" x=\"{Number(left + 6 + MarkText)}\" y=\"{Number(y + 4)}\">{Escape(meaning)}</text>\n");
            left += MarkText + meaning.Length * LabelLetter + 22;
        }

        return left;
    }

    /// <summary>Gives each moment its height, and each event of a moment on one lane a place below the one before.</summary>
    private double Place(double top)
    {
        var y = top;
        var before = 0L;
        foreach (var moment in _history.Events.Where(item => item.Kind != EventKind.Sent).GroupBy(item => item.At.Nanoseconds))
        {
            // Arrows that end together have come a way apart.
            var least = LeastGap + ForArrival * moment.Count(item => item.Transit is not null);
            y += _moments.Count == 0 ? LeastGap : Math.Clamp((moment.Key - before) / 1_000_000.0 * PixelsPerMs, least, Math.Max(least, MostGap));
            before = moment.Key;
            _moments[moment.Key] = y;
            var deepest = y;

            // A line across everything stands below the rest of its moment.
            foreach (var lane in moment.GroupBy(item => item.Lane).OrderBy(group => group.Key < 0))
            {
                var place = lane.Key < 0 && _places.ContainsValue(y) ? deepest + Stack : y;
                foreach (var item in lane)
                {
                    _places[item.Number] = place;
                    deepest = Math.Max(deepest, place);
                    place += Stack;
                }
            }

            y = deepest;
        }

        return y + 30;
    }

    private double X(int lane) => _left + 30 + lane * _spacing;

    /// <summary>The height of a moment at which perhaps nothing but sending happened.</summary>
    private double Y(Duration at)
    {
        var (lower, upper) = (default(KeyValuePair<long, double>?), default(KeyValuePair<long, double>?));
        foreach (var moment in _moments)
        {
            if (moment.Key <= at.Nanoseconds)
            {
                lower = moment;
            }
            else
            {
                upper ??= moment;
            }
        }

        return lower?.Value ?? upper?.Value - LeastGap ?? Top + 26;
    }

    private void Lanes()
    {
        foreach (var lane in _history.Lanes)
        {
            _body.Append($"<text x=\"{Number(X(lane.Index))}\" y=\"{Number(Top + 8)}\" class=\"name\">{Escape(lane.Name)}</text>\n");
            double? from = Top + 16;
            foreach (var item in _history.Events.Where(item => item.Lane == lane.Index))
            {
                if (item.Kind == EventKind.Crashed && from is { } start)
                {
                    Segment(lane.Index, start, _places[item.Number]);
                    from = null;
                }
                else if (item.Kind == EventKind.Started)
                {
                    from = _places[item.Number];
                }
            }

            if (from is { } last)
            {
                Segment(lane.Index, last, _bottom - 12);
            }
        }

        void Segment(int lane, double start, double end) => _body.Append(
            $"<line class=\"lane\" x1=\"{Number(X(lane))}\" y1=\"{Number(start)}\" x2=\"{Number(X(lane))}\" y2=\"{Number(end)}\"/>\n");
    }

    private void Times()
    {
        var before = double.MinValue;
        foreach (var (at, y) in _moments)
        {
            if (y - before >= 12)
            {
                _body.Append($"<text class=\"time\" x=\"{Number(_left - 14)}\" y=\"{Number(y + 4)}\">{Number(Math.Round(at / 1_000_000.0, 1))} ms</text>\n");
                before = y;
            }
        }
    }

    /// <summary>Where an arrow begins and ends. One that does not arrive ends on the way, a little lower.</summary>
    private (double X1, double Y1, double X2, double Y2) Line(HistoryEvent item)
    {
        var transit = item.Transit!;
        var (x1, y1) = (X(transit.From), _places.TryGetValue(item.Number, out var own) ? own : Y(item.At));
        return _ends.GetValueOrDefault(transit.Number) is { } end
            ? (x1, y1, X(transit.To), Math.Max(_places[end.Number], y1 + 1))
            : (x1, y1, x1 + (X(transit.To) - x1) * 0.45, y1 + 16);
    }

    private void Arrow(HistoryEvent item)
    {
        var transit = item.Transit!;
        var end = _ends.GetValueOrDefault(transit.Number);
        var (x1, y1, x2, y2) = Line(item);
        var arrives = end?.Kind == EventKind.Arrived;
        var inset = x2 > x1 ? -3 : 3;
        var numbers = end is null ? $"{item.Number}" : $"{item.Number} {end.Number}";
        var line = $"x1=\"{Number(x1)}\" y1=\"{Number(y1)}\" x2=\"{Number(x2 + inset)}\" y2=\"{Number(y2)}\"";
        var took = end is null ? item.Kind == EventKind.Lost ? "lost" : "still under way" : $"arrives after {end.At - item.At}{(arrives ? "" : ", where nobody is up")}";
        _body.Append($"<g class=\"event\" data-event=\"{numbers}\"><title>{Escape($"{transit.Detail}\nsent at {item.At}, {took}")}</title>")
            .Append($"<line class=\"hit\" {line}/><line class=\"{(arrives ? "message" : "gone")}\" {line}{(arrives ? " marker-end=\"url(#head)\"" : "")}/>");
        if (!arrives)
        {
            Cross(x2 + inset, y2, _body);
        }

        _body.Append("</g>\n");
    }

    /// <summary>The words of the arrows, each along its own, where there is room between the others and the marks, and if it can be beside the arrows' heads.</summary>
    private void Labels(IReadOnlyList<HistoryEvent> messages)
    {
        var marks = _history.Events.Where(item => item.Transit is null)
            .Select(item => LevelText(X(Math.Max(0, item.Lane)) + MarkText, _places[item.Number], item.Text.Length * MarkLetter));
        var heads = messages.Select(HeadOf).ToList();
        var places = messages.Select(item => LabelsOf(item).OrderBy(place => heads.Exists(head => head.Overlaps(place))).ToArray()).ToList();
        var chosen = new LabelPlaces([.. marks], places).Arrange();
        foreach (var (index, item) in messages.Index())
        {
            var (x, middle, turn, _, _) = places[index][chosen[index]];
            var y = middle + LabelMiddle;
            var style = _ends.GetValueOrDefault(item.Transit!.Number)?.Kind == EventKind.Arrived ? "" : " lost";
            _body.Append($"<text class=\"label halo{style}\" x=\"{Number(x)}\" y=\"{Number(y)}\" transform=\"rotate({Number(turn * 180 / Math.PI)} {Number(x)} {Number(y)})\">{Escape(item.Transit.Name)}</text>\n");
        }
    }

    /// <summary>Where the words of an arrow may stand, the best place first.</summary>
    private IEnumerable<LabelBox> LabelsOf(HistoryEvent item)
    {
        var (x1, y1, x2, y2) = Line(item);
        var turn = Math.Atan2(y2 - y1, x2 - x1);
        turn = turn is > Math.PI / 2 or < -Math.PI / 2 ? turn - Math.PI : turn;
        var lanes = Math.Abs(x2 - x1) / _spacing;
        var shares = _ends.ContainsKey(item.Transit!.Number)
            ? s_fromEnd.Select(distance => 1 - distance / lanes).Where(share => share > 0.15).ToArray()
            : [0.55, 0.75, 0.4, 0.95];
        var width = item.Transit.Name.Length * LabelLetter;

        // Above the arrow if there is room, and below it otherwise.
        return new[] { -4.0, 11.0 }.SelectMany(above => shares.Select(share => new LabelBox(
            x1 + (x2 - x1) * share, y1 + (y2 - y1) * share + above - LabelMiddle, turn, width, TextHeight)));
    }

    private LabelBox HeadOf(HistoryEvent item)
    {
        var (x1, _, x2, y2) = Line(item);
        return new(x2 + Math.Sign(x1 - x2) * HeadLength / 2, y2, 0, HeadLength, HeadLength);
    }

    private static LabelBox LevelText(double left, double y, double width) => new(left + width / 2, y, 0, width, TextHeight);

    private void Across(HistoryEvent item)
    {
        var y = _places[item.Number];
        var right = X(_history.Lanes.Count - 1) + _spacing - 40;
        _body.Append($"<g class=\"event\" data-event=\"{item.Number}\"><title>{Escape(item.Detail)}</title>")
            .Append($"<line class=\"across\" x1=\"{Number(_left)}\" y1=\"{Number(y)}\" x2=\"{Number(right)}\" y2=\"{Number(y)}\"/>")
            .Append($"<text class=\"halo lost\" x=\"{Number(X(0) + MarkText)}\" y=\"{Number(y + 4)}\">{Escape(item.Text)}</text></g>\n");
    }

    private void Mark(HistoryEvent item)
    {
        var (x, y) = (X(item.Lane), _places[item.Number]);
        _body.Append($"<g class=\"event\" data-event=\"{item.Number}\"><title>{Escape($"{item.Detail}\n{_history.Lanes[item.Lane].Name}, {item.At}")}</title>");
        Symbol(item.Kind, x, y, _body);
        _body.Append($"<text class=\"halo {StyleOf(item.Kind)}\" x=\"{Number(x + MarkText)}\" y=\"{Number(y + 4)}\">{Escape(item.Text)}</text></g>\n");
    }

    private static string StyleOf(EventKind kind) => kind switch
    {
        EventKind.Recorded => "durable",
        EventKind.Decided or EventKind.Executed => "decided",
        EventKind.TimedOut => "timer",
        EventKind.Crashed or EventKind.Refused => "lost",
        EventKind.Noted => "soft",
        _ => "",
    };

    private static void Symbol(EventKind kind, double x, double y, StringBuilder body)
    {
        switch (kind)
        {
            case EventKind.Crashed or EventKind.Lost:
                Cross(x, y, body);
                break;
            case EventKind.Recorded:
                body.Append($"<rect class=\"durable\" x=\"{Number(x - 4)}\" y=\"{Number(y - 4)}\" width=\"8\" height=\"8\"/>");
                break;
            case EventKind.Decided:
                Shape(StyleOf(kind), "0,-7 2,-2 7,-2 3,1.5 4.5,7 0,3.7 -4.5,7 -3,1.5 -7,-2 -2,-2");
                break;
            case EventKind.TimedOut:
                Shape(StyleOf(kind), "-5,-6 5,-6 -5,6 5,6");
                break;
            case EventKind.Asked or EventKind.Started:
                Shape("soft", "-4,-6 6,0 -4,6");
                break;
            case EventKind.Answered:
                Shape("soft", "4,-6 -6,0 4,6");
                break;
            default:
                body.Append($"<circle class=\"{StyleOf(kind)}\" cx=\"{Number(x)}\" cy=\"{Number(y)}\" r=\"3.5\"/>");
                break;
        }

        void Shape(string style, string points) =>
            body.Append($"<polygon class=\"{style}\" points=\"{points}\" transform=\"translate({Number(x)} {Number(y)})\"/>");
    }

    private static void Cross(double x, double y, StringBuilder body) => body.Append(
        $"<path class=\"cross\" d=\"M{Number(x - 4)} {Number(y - 4)} L{Number(x + 4)} {Number(y + 4)} M{Number(x - 4)} {Number(y + 4)} L{Number(x + 4)} {Number(y - 4)}\"/>");
}
