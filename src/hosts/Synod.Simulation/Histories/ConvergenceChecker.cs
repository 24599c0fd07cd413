using System.Globalization;

namespace Synod.Simulation.Histories;

/// <summary>
/// Replicated convergent objects against the sequential meaning of their operations under the order of what happened before what
/// (crdt.md §8, 5): what a replica shows is a function of the operations that it has observed, and of nothing else. A replica shows no
/// effect without its cause. In the end all show the same, and no operation that was acknowledged is missing.
/// </summary>
public sealed class ConvergenceChecker
{
    private readonly SortedDictionary<long, ConvergentOperation> _operations = [];
    private readonly HashSet<(string Before, string After)> _order = [];

    /// <summary>The operations so far.</summary>
    public IReadOnlyCollection<ConvergentOperation> Operations => _operations.Values;

    /// <summary>Notes an operation when it is carried out, whether or not anyone will hear of it.</summary>
    public void Note(ConvergentOperation operation) => _operations.Add(operation.Id, operation);

    /// <summary>What is wrong with what a replica shows; empty if nothing is.</summary>
    public IReadOnlyList<Anomaly> Check(ConvergentView view)
    {
        var anomalies = new List<Anomaly>();
        var observed = view.Observed.Where(_operations.ContainsKey).Select(id => _operations[id]).ToList();
        if (observed.Count != view.Observed.Count)
        {
            anomalies.Add(new Anomaly("never-happened", $"{view.Replica} has an operation that nobody carried out"));
        }

        foreach (var operation in observed.Where(operation => !operation.Observed.IsSubsetOf(view.Observed)))
        {
            anomalies.Add(new Anomaly("effect-without-cause", $"{view.Replica} has {operation} and not all that was there before it"));
        }

        Compare(view, ConvergentType.Counter, [new ConvergentItem("", Sum(observed, ConvergentType.Counter))], anomalies);
        CheckBounded(view, observed, anomalies);
        Compare(view, ConvergentType.AddWinsSet, Surviving(observed, ConvergentType.AddWinsSet).Select(add => new ConvergentItem(add.Element)).Distinct(), anomalies);
        Compare(
            view,
            ConvergentType.AddWinsMap,
            Surviving(observed, ConvergentType.AddWinsMap).GroupBy(add => add.Element, (key, adds) => new ConvergentItem(key, adds.Sum(add => add.Amount))),
            anomalies);
        Compare(view, ConvergentType.MultiValueRegister, Last(observed, ConvergentType.MultiValueRegister), anomalies);
        CheckLastWriter(view, observed, anomalies);
        CheckSequence(view, observed, anomalies);
        return anomalies;
    }

    /// <summary>
    /// What is wrong with what all replicas show in the end, when everything has arrived everywhere.
    /// </summary>
    /// <param name="acknowledged">The operations whose clients were told that they are done, and whose replica is not given up.</param>
    public IReadOnlyList<Anomaly> CheckEnd(IReadOnlyList<ConvergentView> views, IEnumerable<long> acknowledged)
    {
        var anomalies = views.SelectMany(Check).ToList();
        foreach (var id in acknowledged)
        {
            foreach (var view in views.Where(view => !view.Observed.Contains(id)))
            {
                anomalies.Add(new Anomaly("lost", $"{_operations[id]} was acknowledged and is not at {view.Replica}"));
            }
        }

        foreach (var view in views.Skip(1))
        {
            if (!view.Observed.SetEquals(views[0].Observed))
            {
                anomalies.Add(new Anomaly("not-converged", $"{view.Replica} and {views[0].Replica} have other operations"));
            }

            foreach (var type in Enum.GetValues<ConvergentType>().Where(type => !view[type].SequenceEqual(views[0][type])))
            {
                anomalies.Add(new Anomaly("not-converged", $"{type} is {Text(view[type])} at {view.Replica} and {Text(views[0][type])} at {views[0].Replica}"));
            }
        }

        return anomalies;
    }

    private static long Sum(List<ConvergentOperation> observed, ConvergentType type) =>
        observed.Where(operation => operation.Object == type).Sum(operation => operation.Amount);

    /// <summary>The adds that no removal of the same element has seen.</summary>
    private static List<ConvergentOperation> Surviving(List<ConvergentOperation> observed, ConvergentType type)
    {
        var removals = observed.Where(operation => operation.Object == type && operation.IsRemoval)
            .ToLookup(removal => removal.Element, removal => removal.Observed, StringComparer.Ordinal);
        return
        [
            .. observed.Where(operation => operation.Object == type && !operation.IsRemoval
                && !removals[operation.Element].Any(seen => seen.Contains(operation.Id))),
        ];
    }

    /// <summary>The values of writes that no other write has seen.</summary>
    private static IEnumerable<ConvergentItem> Last(List<ConvergentOperation> observed, ConvergentType type)
    {
        var writes = observed.Where(operation => operation.Object == type).ToList();
        return writes.Where(write => !writes.Any(later => later.Observed.Contains(write.Id))).Select(write => new ConvergentItem(write.Element));
    }

    private static void CheckBounded(ConvergentView view, List<ConvergentOperation> observed, List<Anomaly> anomalies)
    {
        var shown = view[ConvergentType.BoundedCounter].Sum(item => item.Amount);
        if (shown < 0)
        {
            anomalies.Add(new Anomaly("below-zero", string.Create(CultureInfo.InvariantCulture, $"{shown} at {view.Replica}")));
        }

        Compare(view, ConvergentType.BoundedCounter, [new ConvergentItem("", Sum(observed, ConvergentType.BoundedCounter))], anomalies);
    }

    private static void CheckLastWriter(ConvergentView view, List<ConvergentOperation> observed, List<Anomaly> anomalies)
    {
        var candidates = Last(observed, ConvergentType.LastWriterRegister).ToList();
        var shown = view[ConvergentType.LastWriterRegister];
        if (shown.Count != Math.Min(candidates.Count, 1) || shown.Any(item => !candidates.Contains(item)))
        {
            anomalies.Add(Wrong(view, ConvergentType.LastWriterRegister, candidates));
        }
    }

    private void CheckSequence(ConvergentView view, List<ConvergentOperation> observed, List<Anomaly> anomalies)
    {
        var shown = view[ConvergentType.Sequence].Select(item => item.Element).ToList();
        var expected = Surviving(observed, ConvergentType.Sequence);
        if (!shown.Order(StringComparer.Ordinal).SequenceEqual(expected.Select(insert => insert.Element).Order(StringComparer.Ordinal)))
        {
            anomalies.Add(Wrong(view, ConvergentType.Sequence, [.. expected.Select(insert => new ConvergentItem(insert.Element))]));
            return;
        }

        var places = shown.Index().ToDictionary(item => item.Item, item => item.Index, StringComparer.Ordinal);
        foreach (var insert in expected.Where(insert => places.TryGetValue(insert.After, out var place) && place > places[insert.Element]))
        {
            anomalies.Add(new Anomaly("out-of-order", $"{insert.Element} is before {insert.After} at {view.Replica}, behind which it was put"));
        }

        for (var at = 0; at < shown.Count; at++)
        {
            for (var before = 0; before < at; before++)
            {
                _order.Add((shown[before], shown[at]));
                if (_order.Contains((shown[at], shown[before])))
                {
                    anomalies.Add(new Anomaly("out-of-order", $"{shown[before]} is before {shown[at]} at {view.Replica}, and was behind it elsewhere"));
                }
            }
        }
    }

    private static void Compare(ConvergentView view, ConvergentType type, IEnumerable<ConvergentItem> expected, List<Anomaly> anomalies)
    {
        var should = expected.Where(item => item != new ConvergentItem("")).OrderBy(item => item.Element, StringComparer.Ordinal).ToList();
        var shows = view[type].Where(item => item != new ConvergentItem("")).OrderBy(item => item.Element, StringComparer.Ordinal);
        if (!should.SequenceEqual(shows))
        {
            anomalies.Add(Wrong(view, type, should));
        }
    }

    private static Anomaly Wrong(ConvergentView view, ConvergentType type, IReadOnlyList<ConvergentItem> expected) =>
        new("wrong-value", $"{type} is {Text(view[type])} at {view.Replica} instead of {Text(expected)}");

    private static string Text(IEnumerable<ConvergentItem> items) =>
        $"[{string.Join(' ', items.Select(item => item.Amount == 0 ? item.Element : string.Create(CultureInfo.InvariantCulture, $"{item.Element}:{item.Amount}")))}]";
}
