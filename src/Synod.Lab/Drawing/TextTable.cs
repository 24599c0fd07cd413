using System.Text;
using Synod.Lab.Scenarios;

namespace Synod.Lab.Drawing;

/// <summary>Figures as aligned columns of plain text, and curves as a plot of letters.</summary>
public static class TextTable
{
    private const int PlotWidth = 64;
    private const int PlotHeight = 16;

    public static string Draw(Figures figures)
    {
        var widths = figures.Columns
            .Select((column, index) => figures.Rows.Select(row => row[index].Length).Append(column.Length).Max()).ToList();
        var isText = figures.Columns.Select((_, index) => index == 0 || figures.Rows.Any(row => row[index] is not ("" or [>= '0' and <= '9', ..]))).ToList();
        var text = new StringBuilder();
        Line(figures.Columns);
        text.Append(string.Join("  ", widths.Select(width => new string('─', width)))).Append('\n');
        foreach (var row in figures.Rows)
        {
            Line(row);
        }

        return text.ToString();

        void Line(IReadOnlyList<string> cells) => text
            .Append(string.Join("  ", cells.Select((cell, index) => isText[index] ? cell.PadRight(widths[index]) : cell.PadLeft(widths[index]))).TrimEnd())
            .Append('\n');
    }

    /// <summary>Each curve is drawn with the first letters that tell it from the others; the axes are linear and begin at zero.</summary>
    public static string Draw(Plot plot)
    {
        var cells = Enumerable.Range(0, PlotHeight).Select(_ => new string(' ', PlotWidth).ToCharArray()).ToArray();
        var (mostX, mostY) = (plot.X[^1], plot.Curves.SelectMany(curve => curve.Y).Max());
        for (var index = plot.Curves.Count - 1; index >= 0; index--)
        {
            for (var column = 0; column < PlotWidth; column++)
            {
                if (At(plot.X, plot.Curves[index].Y, mostX * (column + 1) / PlotWidth) is { } y)
                {
                    var row = PlotHeight - 1 - (int)Math.Min(PlotHeight - 1, y / mostY * PlotHeight);
                    cells[row][column] = (char)('a' + index);
                }
            }
        }

        var text = new StringBuilder();
        for (var row = 0; row < PlotHeight; row++)
        {
            text.Append(row == 0 ? Number(mostY).PadLeft(9) : new string(' ', 9)).Append(" │").Append(new string(cells[row]).TrimEnd()).Append('\n');
        }

        text.Append("        0 └").Append('─', PlotWidth).Append(' ').Append(Number(mostX)).Append(' ').Append(plot.XLabel).Append('\n');
        text.Append(' ', 11).Append(plot.YLabel).Append(": ")
            .Append(string.Join(", ", plot.Curves.Select((curve, index) => $"{(char)('a' + index)} {curve.Name}"))).Append('\n');
        return text.ToString();
    }

    private static string Number(double value) => value.ToString("#,0.#", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The curve between its points; null outside of them.</summary>
    private static double? At(IReadOnlyList<double> places, IReadOnlyList<double> values, double x)
    {
        for (var index = 1; index < places.Count; index++)
        {
            if (places[index - 1] <= x && x <= places[index])
            {
                var share = (x - places[index - 1]) / (places[index] - places[index - 1]);
                return values[index - 1] + share * (values[index] - values[index - 1]);
            }
        }

        return null;
    }
}
