using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Synod.Hosting.Http;

/// <summary>
/// Listens to every meter whose name begins with "Synod" and writes what it heard in the text format of Prometheus. Histograms
/// become a sum and a count.
/// </summary>
internal sealed class PrometheusText : IDisposable
{
    private readonly Lock _gate = new();
    private readonly MeterListener _listener = new();
    private readonly SortedDictionary<string, Family> _families = new(StringComparer.Ordinal);

    public PrometheusText()
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Meter.Name.StartsWith("Synod", StringComparison.Ordinal))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.Start();
    }

    public string Render()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        lock (_gate)
        {
            foreach (var (name, family) in _families)
            {
                text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {family.Help}\n# TYPE {name} {family.Kind}\n");
                foreach (var (labels, series) in family.Series)
                {
                    Append(text, family, name, labels, series);
                }
            }
        }

        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    private static void Append(StringBuilder text, Family family, string name, string labels, Series series)
    {
        var braces = labels.Length == 0 ? "" : $"{{{labels}}}";
        _ = family.Kind == "summary"
            ? text.Append(CultureInfo.InvariantCulture, $"{name}_sum{braces} {series.Sum:R}\n{name}_count{braces} {series.Count}\n")
            : text.Append(CultureInfo.InvariantCulture, $"{name}{braces} {series.Sum:R}\n");
    }

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var observed = instrument.IsObservable;
        var kind = instrument.GetType().Name switch
        {
            var type when type.StartsWith("Histogram", StringComparison.Ordinal) => "summary",
            var type when type.Contains("Gauge", StringComparison.Ordinal) || type.Contains("UpDown", StringComparison.Ordinal) => "gauge",
            _ => "counter",
        };
        var labels = Labels(instrument.Meter.Tags, tags);
        lock (_gate)
        {
            var name = Name(instrument, kind);
            if (!_families.TryGetValue(name, out var family))
            {
                _families[name] = family = new Family(kind, instrument.Description ?? "");
            }

            if (!family.Series.TryGetValue(labels, out var series))
            {
                family.Series[labels] = series = new Series();
            }

            series.Count++;
            series.Sum = observed || kind == "gauge" ? value : series.Sum + value;
        }
    }

    private static string Name(Instrument instrument, string kind)
    {
        var name = instrument.Name.Replace('.', '_').Replace('-', '_');
        var unit = instrument.Unit switch { "s" => "seconds", "By" => "bytes", _ => "" };
        name += unit.Length == 0 || name.Contains(unit, StringComparison.Ordinal) ? "" : $"_{unit}";
        return kind == "counter" ? name + "_total" : name;
    }

    private static string Labels(IEnumerable<KeyValuePair<string, object?>>? fixedTags, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in fixedTags ?? [])
        {
            labels[key] = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        }

        foreach (var (key, value) in tags)
        {
            labels[key] = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        }

        return string.Join(',', labels.Select(pair =>
            $"{pair.Key.Replace('.', '_')}=\"{pair.Value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\""));
    }

    private sealed class Family(string kind, string help)
    {
        public string Kind => kind;

        public string Help => help.Replace('\n', ' ');

        public SortedDictionary<string, Series> Series { get; } = new(StringComparer.Ordinal);
    }

    private sealed class Series
    {
        public double Sum { get; set; }

        public long Count { get; set; }
    }
}
