using Synod.Core;
using Synod.Crdt;
using Synod.Lab.Worlds.Convergence;

namespace Synod.Lab.Scenarios.Convergence;

/// <summary>"add apple" and "remove apple", for each kind of set.</summary>
internal static class SetOperations
{
    private const string Add = "add ";
    private const string Remove = "remove ";

    public static OrSet<string> Observed(OrSet<string> set, ReplicaId me, HybridTimestamp now, string text) =>
        IsAdd(text, out var element) ? set.Add(me, element) : set.Remove(element);

    public static LwwElementSet<string> ByTime(LwwElementSet<string> set, ReplicaId me, HybridTimestamp now, string text) =>
        IsAdd(text, out var element) ? set.Add(me, now, element) : set.Remove(me, now, element);

    public static NaiveOrSet ByTags(NaiveOrSet set, ReplicaId me, HybridTimestamp now, string text) =>
        IsAdd(text, out var element) ? set.Add(me, element) : set.Remove(element);

    /// <summary>The elements, without the times that the set keeps for them.</summary>
    public static string Show(LwwElementSet<string> set) => $"{{{string.Join(", ", set.Elements.Order(StringComparer.Ordinal))}}}";

    private static bool IsAdd(string text, out string element)
    {
        var isAdd = text.StartsWith(Add, StringComparison.Ordinal);
        element = text[(isAdd ? Add : Remove).Length..];
        return isAdd;
    }
}
