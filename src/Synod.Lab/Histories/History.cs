using System.Globalization;
using System.Text;
using Synod.Core;

namespace Synod.Lab.Histories;

/// <summary>A process of a history, drawn as a lane.</summary>
public sealed record Lane(int Index, NodeId Node, string Name);

/// <summary>What an event of a history is.</summary>
public enum EventKind
{
    /// <summary>A process began, or began again after a crash.</summary>
    Started,

    Crashed,

    /// <summary>A client's command reached its process.</summary>
    Asked,

    /// <summary>The client's answer left.</summary>
    Answered,

    Sent,

    Arrived,

    /// <summary>A message will never arrive.</summary>
    Lost,

    /// <summary>A message arrived at a process that is down.</summary>
    Missed,

    /// <summary>A record became durable.</summary>
    Recorded,

    /// <summary>A decision was taken, and can never be taken otherwise.</summary>
    Decided,

    /// <summary>An agreed command was handed to the state above.</summary>
    Executed,

    TimedOut,

    /// <summary>A guard refused an input.</summary>
    Refused,

    /// <summary>Links were cut, or all of them healed.</summary>
    Cut,

    /// <summary>Something that the story wants seen.</summary>
    Noted,
}

/// <summary>One message on its way.</summary>
/// <param name="Number">In the order of sending, from 1.</param>
/// <param name="From">The sender's lane.</param>
/// <param name="To">The receiver's lane.</param>
/// <param name="Name">What the message is called.</param>
/// <param name="Detail">All of it.</param>
/// <param name="SentAt">When it left.</param>
/// <param name="Due">When it arrives; null if it is lost.</param>
public sealed record Transit(int Number, int From, int To, string Name, string Detail, Duration SentAt, Duration? Due)
{
    /// <summary>When it arrived at a living process; null until then.</summary>
    public Duration? ArrivedAt { get; internal set; }
}

/// <summary>One event of a history.</summary>
/// <param name="Number">Its place in the history, from 1.</param>
/// <param name="At">Time since the start.</param>
/// <param name="Lane">Where it happened; -1 if everywhere.</param>
/// <param name="Text">In a word or two.</param>
/// <param name="Detail">In full.</param>
/// <param name="Transit">The message, if it is about one.</param>
public sealed record HistoryEvent(
    int Number, Duration At, EventKind Kind, int Lane, string Text, string Detail, Transit? Transit = null);

/// <summary>What happened in a run, in order: what diagrams are drawn from and stories are told from.</summary>
public sealed class History(IReadOnlyList<Lane> lanes)
{
    private readonly List<HistoryEvent> _events = [];
    private readonly List<Transit> _transits = [];

    public IReadOnlyList<Lane> Lanes { get; } = lanes;

    public IReadOnlyList<HistoryEvent> Events => _events;

    public IReadOnlyList<Transit> Transits => _transits;

    /// <summary>The time of the last event.</summary>
    public Duration End => _events.Count == 0 ? Duration.Zero : _events[^1].At;

    /// <summary>The lane of a node.</summary>
    public Lane LaneOf(NodeId node) => Lanes.First(lane => lane.Node == node);

    /// <summary>The first event of a kind that says <paramref name="text"/>, on a lane or on any; null if there is none.</summary>
    public HistoryEvent? First(EventKind kind, string text, NodeId? on = null) => _events.Find(item =>
        item.Kind == kind && item.Text == text && (on is not { } node || (item.Lane >= 0 && Lanes[item.Lane].Node == node)));

    /// <summary>Every event in one line: equal runs, equal text.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var item in _events)
        {
            var lane = item.Lane < 0 ? "*" : Lanes[item.Lane].Name;
            text.Append(CultureInfo.InvariantCulture, $"{item.At.Nanoseconds / 1_000_000m:0.000} {lane} {item.Kind} {item.Detail}\n");
        }

        return text.ToString();
    }

    internal Transit Send(int from, int to, string name, string detail, Duration at, Duration? due)
    {
        var transit = new Transit(_transits.Count + 1, from, to, name, detail, at, due);
        _transits.Add(transit);
        return transit;
    }

    internal void Add(Duration at, EventKind kind, int lane, string text, string? detail = null, Transit? transit = null) =>
        _events.Add(new HistoryEvent(_events.Count + 1, at, kind, lane, text, detail ?? text, transit));
}
