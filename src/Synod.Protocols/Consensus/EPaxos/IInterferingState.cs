using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>
/// The deterministic state that replicas keep equal, and what its operations touch: two that touch a key in common, and not both only
/// to read it, interfere and are executed in one order everywhere; any others in any order. A copy belongs to one replica.
/// </summary>
public interface IInterferingState
{
    /// <summary>
    /// Adds the keys that <paramref name="operation"/> may look at or change, whatever the state is when it comes to that; false if
    /// these bytes are no operation. Any bytes may come, and none may throw.
    /// </summary>
    bool TryTouch(ReadOnlyMemory<byte> operation, List<KeyAccess> touched);

    /// <summary>Does an operation that <see cref="TryTouch"/> took, and gives its result.</summary>
    ReadOnlyMemory<byte> Execute(ReadOnlyMemory<byte> operation);

    /// <summary>Writes the whole state: equal states, equal bytes.</summary>
    void Save(CodecWriter writer);

    /// <summary>Takes on the state that a copy saved.</summary>
    void Load(ReadOnlyMemory<byte> state);
}

/// <summary>A key that an operation looks at, and whether it may change what is there.</summary>
public readonly record struct KeyAccess(Key Key, bool Writes);
