using System.Globalization;
using System.Text;
using Synod.Lab.Scenarios;
using static Synod.Lab.Drawing.SvgPicture;

namespace Synod.Lab.Drawing;

/// <summary>Curves with linear axes from zero; each is named at its end.</summary>
internal static class SvgPlot
{
    private const double Width = 560;
    private const double Height = 280;
    private const double Left = 64;
    private const double Right = 190;

    /// <summary>Numbers below the axis stand no closer; of those that would, the last is there.</summary>
    private const double Narrowest = 40;

    public static (double Width, double Height) Draw(Plot plot, double left, double top, StringBuilder body)
    {
        body.Append($"<text class=\"soft\" x=\"{Number(left)}\" y=\"{Number(top)}\">{Escape(plot.YLabel)}</text>\n");
        top += 20;
        var (mostX, mostY) = (plot.X[^1], Round(plot.Curves.SelectMany(curve => curve.Y).Max()));
        for (var line = 0; line <= 4; line++)
        {
            var value = mostY * line / 4;
            var y = Y(value);
            body.Append($"<line class=\"{(line == 0 ? "axis" : "grid")}\" x1=\"{Number(left + Left)}\" y1=\"{Number(y)}\" x2=\"{Number(left + Left + Width)}\" y2=\"{Number(y)}\"/>")
                .Append($"<text class=\"time\" x=\"{Number(left + Left - 8)}\" y=\"{Number(y + 4)}\">{Said(value)}</text>\n");
        }

        var next = double.PositiveInfinity;
        foreach (var x in plot.X.Reverse().Where(x => next - X(x) >= Narrowest))
        {
            next = X(x);
            body.Append($"<text class=\"soft\" text-anchor=\"middle\" x=\"{Number(X(x))}\" y=\"{Number(top + Height + 18)}\">{Said(x)}</text>\n");
        }

        body.Append($"<text class=\"soft\" text-anchor=\"middle\" x=\"{Number(left + Left + Width / 2)}\" y=\"{Number(top + Height + 36)}\">{Escape(plot.XLabel)}</text>\n");
        var names = Names(plot, Y);
        for (var index = 0; index < plot.Curves.Count; index++)
        {
            var curve = plot.Curves[index];
            var style = index % 4;
            body.Append($"<polyline class=\"curve c{style}\" points=\"{string.Join(" ", plot.X.Zip(curve.Y, (x, y) => $"{Number(X(x))},{Number(Y(y))}"))}\"/>");
            foreach (var (x, y) in plot.X.Zip(curve.Y))
            {
                body.Append($"<circle class=\"f{style}\" cx=\"{Number(X(x))}\" cy=\"{Number(Y(y))}\" r=\"4\"><title>{Escape($"{curve.Name}: {Said(y)} at {Said(x)}")}</title></circle>");
            }

            body.Append($"<text class=\"f{style}\" x=\"{Number(left + Left + Width + 10)}\" y=\"{Number(names[index] + 4)}\">{Escape(curve.Name)}</text>\n");
        }

        return (left + Left + Width + Right, Height + 64);

        double X(double value) => left + Left + value / mostX * Width;

        double Y(double value) => top + Height - value / mostY * Height;
    }

    private static string Said(double value) => value.ToString("#,0.#", CultureInfo.InvariantCulture);

    /// <summary>Four steps of a round number: 1, 2, 2.5 or 5 and zeros.</summary>
    private static double Round(double value)
    {
        var unit = Math.Pow(10, Math.Floor(Math.Log10(value / 4)));
        return 4 * unit * new[] { 1, 2, 2.5, 5, 10 }.First(step => step * unit * 4 >= value);
    }

    /// <summary>Where the names stand: at the ends of their curves, moved apart where these are close.</summary>
    private static double[] Names(Plot plot, Func<double, double> place)
    {
        var names = plot.Curves.Select(curve => place(curve.Y[^1])).ToArray();
        var order = Enumerable.Range(0, names.Length).OrderByDescending(index => names[index]).ToList();
        for (var index = 1; index < order.Count; index++)
        {
            names[order[index]] = Math.Min(names[order[index]], names[order[index - 1]] - 16);
        }

        return names;
    }
}
