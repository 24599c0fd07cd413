namespace Synod.Bench.Reports;

/// <summary>Columns of text, the first two left-aligned, the others right-aligned.</summary>
internal sealed class TextTable(params string[] header)
{
    private readonly List<string[]> _rows = [header];

    public void Add(params string[] cells) => _rows.Add(cells);

    public void Write(TextWriter output)
    {
        var widths = header.Select((_, column) => _rows.Max(row => row[column].Length)).ToArray();
        for (var index = 0; index < _rows.Count; index++)
        {
            var cells = _rows[index].Select((cell, column) =>
                column < 2 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]));
            output.WriteLine("  " + string.Join("  ", cells).TrimEnd());
            if (index == 0)
            {
                output.WriteLine("  " + string.Join("  ", widths.Select(width => new string('-', width))));
            }
        }
    }
}
