namespace Synod.Lab.Costs;

/// <summary>commit.md §1.4 and §3.5.</summary>
internal static class CommitCosts
{
    public static IReadOnlyList<CostLine> Count() => [];
}
