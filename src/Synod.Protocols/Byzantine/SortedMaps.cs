namespace Synod.Protocols.Byzantine;

/// <summary>What a stable checkpoint ends, in maps by slot or by height.</summary>
internal static class SortedMaps
{
    /// <summary>Removes every key up to <paramref name="last"/>.</summary>
    public static void RemoveThrough<TKey, TValue>(this SortedDictionary<TKey, TValue> map, TKey last)
        where TKey : IComparable<TKey>
    {
        foreach (var key in map.Keys.TakeWhile(key => key.CompareTo(last) <= 0).ToList())
        {
            map.Remove(key);
        }
    }
}
