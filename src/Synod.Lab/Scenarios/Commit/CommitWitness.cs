using Synod.Core;

namespace Synod.Lab.Scenarios.Commit;

/// <summary>
/// What the participants of one transaction made durable, and when: the evidence on which agreement and blocking are judged, whatever
/// the commit protocol is.
/// </summary>
internal sealed class CommitWitness
{
    private readonly SortedDictionary<NodeId, Duration> _prepared = [];
    private readonly List<(NodeId Node, bool Commit, Duration At)> _ended = [];

    /// <summary>Endings, in the order in which they became durable.</summary>
    public IReadOnlyList<(NodeId Node, bool Commit, Duration At)> Ended => _ended;

    public void Prepare(NodeId node, Duration at) => _prepared.TryAdd(node, at);

    public void End(NodeId node, bool commit, Duration at) => _ended.Add((node, commit, at));

    /// <summary>How the transaction ended on a node that is known to have ended it.</summary>
    public bool? EndingOn(NodeId node) => _ended.Exists(item => item.Node == node) ? _ended.Find(item => item.Node == node).Commit : null;

    /// <summary>How long each participant held its locks without knowing the decision: until it did, or until now.</summary>
    public IEnumerable<(NodeId Node, Duration Wait)> Waits(Duration now)
    {
        foreach (var (node, since) in _prepared)
        {
            var end = _ended.FindIndex(item => item.Node == node);
            yield return (node, (end < 0 ? now : _ended[end].At) - since);
        }
    }

    /// <summary>
    /// Adds what follows: <c>Agreement</c> over all time and with what the client was told, <c>CommitValidity</c>, and
    /// <c>NonBlocking</c>, which allows nobody to wait longer than <paramref name="patience"/>.
    /// </summary>
    /// <param name="participants">All that the transaction writes on.</param>
    /// <param name="told">What the client was told, if anything.</param>
    public void Judge(
        Report report, Func<NodeId, string> name, IReadOnlyList<NodeId> participants, bool? told, Duration patience, Duration now,
        string suffix = "")
    {
        var outcomes = _ended.Select(item => item.Commit).Concat(told is { } answer ? [answer] : []).Distinct().ToList();
        report.Safety($"Agreement{suffix}", outcomes.Count <= 1, $"{Outcomes(name)}{(told is { } heard ? $"; the client was told {Said(heard)}" : "")}");
        var unprepared = participants.Where(node => !_prepared.ContainsKey(node)).Select(name).ToList();
        report.Safety(
            $"CommitValidity{suffix}",
            !outcomes.Contains(true) || unprepared.Count == 0,
            $"{(unprepared.Count == 0 ? "every participant had prepared" : $"not prepared: {string.Join(", ", unprepared)}")}");
        var waits = Waits(now).ToList();
        var longest = waits.Select(item => item.Wait).DefaultIfEmpty().Max();
        report.Liveness(
            $"NonBlocking{suffix}",
            longest <= patience,
            $"the longest wait for the decision was {Report.Ms(longest)}; the participants' own patience is {Report.Ms(patience)}");
    }

    private static string Said(bool commit) => commit ? "commit" : "abort";

    private string Outcomes(Func<NodeId, string> name) => _ended.Count == 0
        ? "nobody has decided"
        : string.Join(", ", _ended.Select(item => $"{name(item.Node)} {(item.Commit ? "committed" : "aborted")}"));
}
