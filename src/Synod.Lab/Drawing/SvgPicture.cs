using System.Globalization;
using System.Security;
using System.Text;
using Synod.Lab.Scenarios;

namespace Synod.Lab.Drawing;

/// <summary>
/// A report as one SVG file: its histories as space-time diagrams, its plots, and the verdict. It follows the reader's light or dark
/// setting by itself, and every mark tells more when hovered.
/// </summary>
public sealed class SvgPicture
{
    private const int Edge = 24;
    private const int LineLength = 120;

    private const string Layout = """
        svg { color-scheme: light dark; }
        text { font-family: ui-sans-serif, system-ui, "DejaVu Sans", sans-serif; font-size: 12px; }
        .title { font-size: 18px; font-weight: 600; }
        .heading { font-size: 14px; font-weight: 600; }
        .time { font-size: 11px; text-anchor: end; font-variant-numeric: tabular-nums; }
        .lane { stroke-width: 2; }
        .name { font-weight: 600; text-anchor: middle; }
        .halo { paint-order: stroke; stroke-width: 4px; stroke-linejoin: round; }
        .message { stroke-width: 1.5; fill: none; }
        .label { font-size: 11px; text-anchor: middle; }
        .gone { stroke-width: 1.5; stroke-dasharray: 5 3; fill: none; }
        .cross { stroke-width: 2; fill: none; }
        .decided { font-weight: 600; }
        .across { stroke-width: 1; stroke-dasharray: 2 4; }
        .axis { stroke-width: 1; fill: none; } .grid { stroke-width: 1; }
        .curve { stroke-width: 2; fill: none; }
        .hit { stroke: transparent; stroke-width: 11; fill: none; }
        g.event:hover .message, g.event:hover .gone { stroke-width: 3; } g.event:hover text { font-weight: 600; }
        """;

    // Colours as they are, since many a viewer knows no variables.
    private static readonly string s_style = $"{Layout}\n{new Palette("#ffffff", "#1b1f24", "#5b6570", "#c3cad2", "#2563a8", "#b42318", "#6b4fa0", "#1a7f4b", "#9a6700", "#c2571a")}"
        + $"@media (prefers-color-scheme: dark) {{\n{new Palette("#14181d", "#e6eaef", "#98a4b1", "#3a444f", "#7ab7f5", "#ff8a7a", "#c0a6f5", "#5fd39a", "#e6b450", "#f3a26b")}}}";

    private readonly StringBuilder _body = new();
    private double _width = 640;
    private double _y = 44;

    private SvgPicture()
    {
    }

    /// <summary>The file's text.</summary>
    public static string Draw(Report report)
    {
        var picture = new SvgPicture();
        picture.Text(Edge, picture._y, report.Scenario.Name, "title");
        picture._y += 22;
        picture.Paragraph(report.Scenario.Title, "soft");
        picture._y += 15;
        foreach (var act in report.Acts)
        {
            picture.Heading(act.Heading);
            picture.Take(SvgSpaceTime.Draw(act.History, Edge, picture._y, picture._body));
        }

        picture.Legend(report);
        foreach (var figures in report.Figures)
        {
            picture.Heading(figures.Heading);
            if (figures.Plot is { } plot)
            {
                picture.Take(SvgPlot.Draw(plot, Edge, picture._y, picture._body));
            }

            picture.Table(figures);
        }

        picture.Ending(report);
        return picture.Complete(report.Scenario.Title);
    }

    internal static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    internal static string Escape(string text) => SecurityElement.Escape(text);

    private void Take((double Width, double Height) size)
    {
        _width = Math.Max(_width, size.Width + Edge);
        _y += size.Height + 28;
    }

    private void Legend(Report report)
    {
        if (report.Acts.Count > 0)
        {
            _width = Math.Max(_width, SvgSpaceTime.Legend(report.Acts.SelectMany(act => act.History.Events), Edge, _y, _body) + Edge);
            _y += 28;
        }
    }

    private void Heading(string text)
    {
        Text(Edge, _y, text, "heading");
        _y += 24;
    }

    private void Table(Figures figures)
    {
        var widths = figures.Columns
            .Select((column, index) => figures.Rows.Select(row => row[index].Length).Append(column.Length).Max() * 7.2 + 24).ToList();
        Line(figures.Columns, "soft");
        foreach (var row in figures.Rows)
        {
            Line(row, "");
        }

        _width = Math.Max(_width, widths.Sum() + 2 * Edge);
        _y += 16;

        void Line(IReadOnlyList<string> cells, string style)
        {
            double x = Edge;
            for (var index = 0; index < cells.Count; x += widths[index++])
            {
                var (at, anchor) = index == 0 ? (x, "start") : (x + widths[index] - 24, "end");
                _body.Append($"<text x=\"{Number(at)}\" y=\"{Number(_y)}\" text-anchor=\"{anchor}\" class=\"{style}\">{Escape(cells[index])}</text>\n");
            }

            _y += 19;
        }
    }

    private void Ending(Report report)
    {
        foreach (var sentence in report.Story)
        {
            Paragraph(sentence, "");
        }

        _y += 8;
        foreach (var finding in report.Findings)
        {
            Paragraph($"{(finding.Holds ? "✓" : "✗")} {finding.Name}: {finding.Detail}", finding.Holds ? "" : "lost");
        }

        var verdict = report.Verdict.ToString().ToLowerInvariant();
        Text(Edge, _y + 6, $"verdict: {verdict}, {(report.IsAsPromised ? "as promised" : "which is not what was promised")}", "heading");
        _y += 30;
    }

    /// <summary>Text in lines of a length that does not widen the picture much.</summary>
    private void Paragraph(string text, string style)
    {
        for (var rest = text; rest.Length > 0;)
        {
            var end = rest.Length <= LineLength ? rest.Length : rest.LastIndexOf(' ', LineLength);
            end = end <= 0 ? rest.Length : end;
            Text(Edge, _y, rest[..end], style);
            _width = Math.Max(_width, end * 6.4 + 2 * Edge);
            _y += 19;
            rest = rest[end..].TrimStart();
        }
    }

    private void Text(double x, double y, string text, string style) =>
        _body.Append($"<text x=\"{Number(x)}\" y=\"{Number(y)}\" class=\"{style}\">{Escape(text)}</text>\n");

    private string Complete(string title) =>
        $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Number(_width)} {Number(_y)}\" width=\"{Number(_width)}\" height=\"{Number(_y)}\" role=\"img\">\n"
        + $"<title>{Escape(title)}</title>\n<style>\n{s_style}\n</style>\n"
        + "<defs><marker id=\"head\" viewBox=\"0 0 10 10\" refX=\"10\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto-start-reverse\">"
        + "<path d=\"M0 1 L10 5 L0 9 z\" class=\"f0\"/></marker></defs>\n"
        + $"<rect class=\"paper\" width=\"{Number(_width)}\" height=\"{Number(_y)}\"/>\n{_body}</svg>\n";

    /// <summary>The colours of one setting, as rules of style.</summary>
    private sealed record Palette(
        string Paper, string Ink, string Soft, string Line, string Message, string Lost, string Durable, string Decided, string Timer, string Second)
    {
        public override string ToString() => $$"""
            text { fill: {{Ink}}; } .paper { fill: {{Paper}}; } .soft, .time { fill: {{Soft}}; } .lane, .grid { stroke: {{Line}}; } .halo { stroke: {{Paper}}; }
            .message { stroke: {{Message}}; } .label { fill: {{Message}}; } .gone, .cross, .across { stroke: {{Lost}}; } .label.lost, .lost { fill: {{Lost}}; }
            .durable { fill: {{Durable}}; } .decided { fill: {{Decided}}; } .timer { fill: {{Timer}}; } .axis { stroke: {{Soft}}; }
            .c0 { stroke: {{Message}}; } .c1 { stroke: {{Second}}; } .c2 { stroke: {{Durable}}; } .c3 { stroke: {{Decided}}; }
            .f0 { fill: {{Message}}; } .f1 { fill: {{Second}}; } .f2 { fill: {{Durable}}; } .f3 { fill: {{Decided}}; }

            """;
    }
}
