using System.Runtime.InteropServices;

namespace Synod.Storage;

/// <summary>Operations that a store applies together, in order. Reusable: clear it and fill it again.</summary>
public sealed class StoreBatch
{
    private readonly List<StoreOperation> _operations = [];

    public ReadOnlySpan<StoreOperation> Operations => CollectionsMarshal.AsSpan(_operations);

    public bool IsEmpty => _operations.Count == 0;

    /// <summary>The batch keeps both arrays: the caller must not change them afterwards.</summary>
    public void Put(byte[] key, byte[] value) => _operations.Add(new(StoreOperationKind.Put, key, value));

    /// <summary>
    /// Puts a key that the store does not have, as the caller knows: one that is deleted before it left memory then never costs the store
    /// anything.
    /// </summary>
    public void Insert(byte[] key, byte[] value) => _operations.Add(new(StoreOperationKind.Insert, key, value));

    public void Delete(byte[] key) => _operations.Add(new(StoreOperationKind.Delete, key, []));

    /// <summary>Deletes the keys from <paramref name="start"/> up to but without <paramref name="end"/>, which is not empty.</summary>
    public void DeleteRange(byte[] start, byte[] end) => _operations.Add(new(StoreOperationKind.DeleteRange, start, end));

    public void Clear() => _operations.Clear();
}

public enum StoreOperationKind : byte
{
    Put,
    Insert,
    Delete,
    DeleteRange,
}

/// <summary>One operation; <paramref name="Value"/> is the end of a range deletion.</summary>
public readonly record struct StoreOperation(StoreOperationKind Kind, byte[] Key, byte[] Value);
