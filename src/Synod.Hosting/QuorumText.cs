using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Synod.Core;

namespace Synod.Hosting;

/// <summary>Quorum systems as an operator writes them.</summary>
internal static partial class QuorumText
{
    public const string Forms = "'majority', two sizes as '4/2' (to elect, to replicate), a grid as 'grid 2x3', or weights as 'weights 3,1,1,1 4/3'";

    /// <returns>What makes the system of a range's members; null if the text means nothing.</returns>
    public static Func<NodeSet, QuorumSystem>? Read(string text)
    {
        if (text == "majority")
        {
            return SizedQuorums.Majority;
        }

        if (Form().Match(text) is not { Success: true } match)
        {
            return null;
        }

        var (first, second) = (Number(match.Groups["first"].Value), Number(match.Groups["second"].Value));
        if (match.Groups["weights"] is { Success: true, Value: var list })
        {
            ImmutableArray<int> weights = [.. list.Split(',').Select(Number)];
            return members => new WeightedQuorums(members, weights, first, second);
        }

        return text.StartsWith("grid", StringComparison.Ordinal)
            ? members => new GridQuorums(members, first, second)
            : members => new SizedQuorums(members, first, second);
    }

    private static int Number(string digits) => int.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);

    // Six digits at most, so that no sum overflows.
    [GeneratedRegex("^(grid (?<first>[0-9]{1,6})x(?<second>[0-9]{1,6})|(weights (?<weights>[0-9]{1,6}(,[0-9]{1,6})*) )?(?<first>[0-9]{1,6})/(?<second>[0-9]{1,6}))$")]
    private static partial Regex Form();
}
