namespace Synod.Simulation.Histories;

/// <summary>What a convergent object means by its operations; a history has one object of each.</summary>
public enum ConvergentType : byte
{
    /// <summary>The sum of all amounts.</summary>
    Counter,

    /// <summary>The sum of all amounts, which is never below zero.</summary>
    BoundedCounter,

    /// <summary>An element is there if some add of it was seen by no removal of it.</summary>
    AddWinsSet,

    /// <summary>Counters by name: a removal takes back the amounts that it has seen.</summary>
    AddWinsMap,

    /// <summary>Every value whose write no other write has seen.</summary>
    MultiValueRegister,

    /// <summary>One of the values whose write no other write has seen.</summary>
    LastWriterRegister,

    /// <summary>Elements in one order, each behind the one that it was put behind.</summary>
    Sequence,
}

/// <summary>One operation as it was carried out at one replica.</summary>
/// <param name="Id">Its own in the whole history.</param>
/// <param name="IsRemoval">Whether it takes its element away; otherwise it adds, writes or inserts.</param>
/// <param name="Element">What it is about; inserted elements have names of their own.</param>
/// <param name="Amount">For counters: by how much.</param>
/// <param name="After">For an insertion: the element before its place; empty at the beginning.</param>
/// <param name="Observed">The operations whose effects were at that replica then: what happened before it.</param>
public sealed record ConvergentOperation(
    long Id, ConvergentType Object, bool IsRemoval, string Element, long Amount, string After, IReadOnlySet<long> Observed)
{
    public override string ToString() => $"{Id} {Object} {(IsRemoval ? "-" : "+")}{Element}{(Amount == 0 ? "" : $" by {Amount}")}";
}

/// <summary>An element that a replica shows, with its amount or place.</summary>
public readonly record struct ConvergentItem(string Element, long Amount = 0);

/// <summary>All that a replica shows at one moment.</summary>
/// <param name="Observed">The operations whose effects are there.</param>
/// <param name="Contents">By object; an object that is not named is empty.</param>
public sealed record ConvergentView(
    string Replica, IReadOnlySet<long> Observed, IReadOnlyDictionary<ConvergentType, IReadOnlyList<ConvergentItem>> Contents)
{
    public IReadOnlyList<ConvergentItem> this[ConvergentType type] => Contents.TryGetValue(type, out var items) ? items : [];
}
