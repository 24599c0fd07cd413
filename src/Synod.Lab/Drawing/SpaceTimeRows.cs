using Synod.Core;
using Synod.Lab.Histories;

namespace Synod.Lab.Drawing;

/// <summary>An arrow of a row.</summary>
/// <param name="To">One lane, or several that the same message reaches at one moment.</param>
/// <param name="Took">How long it was under way.</param>
/// <param name="Ends">False if it is lost or still under way.</param>
/// <param name="IsMissed">Nobody was there to receive it.</param>
internal sealed record SpaceTimeArrow(int From, List<int> To, string Name, Duration? Took, bool Ends, bool IsMissed);

/// <summary>What is drawn on one line: marks on several lanes, or one arrow, or a line across everything.</summary>
internal sealed class SpaceTimeRow(Duration at)
{
    public Duration At { get; } = at;

    public SortedDictionary<int, HistoryEvent> Marks { get; } = [];

    public SpaceTimeArrow? Arrow { get; init; }

    public string? Across { get; init; }

    /// <summary>The room that it needs from one lane to the next.</summary>
    public int Width => Arrow is { } arrow
        ? (arrow.Name.Length + 6) / Math.Max(1, arrow.To.Min(to => Math.Abs(to - arrow.From)))
        : Marks.Values.Select(mark => mark.Text.Length + 4).DefaultIfEmpty().Max();

    /// <summary>Whether the order of this and something else on the lane shows.</summary>
    public bool Touches(int lane) =>
        Across is not null || Marks.ContainsKey(lane) || (Arrow is { } arrow && (arrow.From == lane || arrow.To.Contains(lane)));
}

/// <summary>Puts the events of a history into as few lines as their order allows.</summary>
internal static class SpaceTimeRows
{
    public static List<SpaceTimeRow> Of(History history)
    {
        var rows = new List<SpaceTimeRow>();
        foreach (var item in history.Events)
        {
            switch (item.Kind)
            {
                case EventKind.Cut:
                    rows.Add(new(item.At) { Across = item.Text });
                    break;
                case EventKind.Arrived or EventKind.Missed:
                    AddArrow(rows, item, item.At - item.Transit!.SentAt, ends: true);
                    break;
                case EventKind.Lost:
                    AddArrow(rows, item, null, ends: false);
                    break;
                case EventKind.Sent when item.Transit!.Due > history.End:
                    AddArrow(rows, item, null, ends: false);
                    break;
                case EventKind.Sent:
                    break;
                default:
                    AddMark(rows, item);
                    break;
            }
        }

        return rows;
    }

    private static void AddArrow(List<SpaceTimeRow> rows, HistoryEvent item, Duration? took, bool ends)
    {
        var transit = item.Transit!;
        var isMissed = item.Kind == EventKind.Missed;
        foreach (var row in Movable(rows, item.At, ends ? transit.To : transit.From))
        {
            if (row.Arrow is { } arrow && arrow.From == transit.From && arrow.Name == transit.Name && arrow.Took == took
                && arrow.Ends == ends && arrow.IsMissed == isMissed && !arrow.To.Contains(transit.To))
            {
                arrow.To.Add(transit.To);
                return;
            }
        }

        rows.Add(new(item.At) { Arrow = new(transit.From, [transit.To], transit.Name, took, ends, isMissed) });
    }

    private static void AddMark(List<SpaceTimeRow> rows, HistoryEvent item)
    {
        foreach (var row in Movable(rows, item.At, item.Lane))
        {
            if (row.Arrow is null && row.Across is null)
            {
                row.Marks.Add(item.Lane, item);
                return;
            }
        }

        var added = new SpaceTimeRow(item.At);
        added.Marks.Add(item.Lane, item);
        rows.Add(added);
    }

    /// <summary>The last rows of a moment, up to the one that anything on this lane has to stay below. Newest first.</summary>
    private static IEnumerable<SpaceTimeRow> Movable(List<SpaceTimeRow> rows, Duration at, int lane)
    {
        for (var index = rows.Count - 1; index >= 0 && rows[index].At == at; index--)
        {
            var row = rows[index];
            if (!row.Touches(lane))
            {
                yield return row;
                continue;
            }

            // A lost copy of the same broadcast shares the sender's lane, and may share its arrow.
            if (row.Arrow is { } arrow && arrow.From == lane)
            {
                yield return row;
            }

            yield break;
        }
    }
}
