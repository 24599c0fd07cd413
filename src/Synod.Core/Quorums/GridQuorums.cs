using System.Globalization;

namespace Synod.Core;

/// <summary>
/// Members in rows and columns, filled row by row in ascending order: all of one column elect, all of one row replicate. Every
/// row meets every column (Flexible Paxos §5.3).
/// </summary>
public sealed record GridQuorums(NodeSet Members, int Rows, int Columns) : QuorumSystem(Members)
{
    public override bool IsPhase1(NodeSet votes) => Enumerable.Range(0, Columns).Any(column => Line(votes, column, Columns, Rows));

    public override bool IsPhase2(NodeSet votes) => Enumerable.Range(0, Rows).Any(row => Line(votes, row * Columns, 1, Columns));

    public override string? Unsafe() => Rows > 0 && Columns > 0 && (long)Rows * Columns == Members.Count
        ? null
        : string.Create(CultureInfo.InvariantCulture, $"{Rows} rows of {Columns} columns need {(long)Rows * Columns} members, no more and no fewer");

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"grid {Rows}x{Columns}");

    private bool Line(NodeSet votes, int first, int step, int count)
    {
        var index = 0;
        var seen = 0;
        foreach (var member in Members)
        {
            var offset = index - first;
            if (offset >= 0 && offset % step == 0 && offset / step < count && votes.Contains(member))
            {
                seen++;
            }

            index++;
        }

        return seen == count;
    }
}
