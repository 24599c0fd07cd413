namespace Synod.Bench.Load;

/// <summary>Something that load is put on: one side of a comparison.</summary>
internal interface ITarget : IAsyncDisposable
{
    /// <summary>What the tables call it.</summary>
    string Name { get; }

    /// <summary>Does one operation for one client and returns when it is acknowledged.</summary>
    /// <param name="client">Which client, from 0. A client has one operation at a time.</param>
    /// <param name="random">The client's own randomness.</param>
    /// <returns>How often it had to be tried again because of a conflict.</returns>
    /// <exception cref="OperationFailedException">It was not acknowledged.</exception>
    Task<int> OperateAsync(int client, Random random);
}

/// <summary>An operation that a closed loop counts as failed.</summary>
internal sealed class OperationFailedException(string reason) : Exception(reason);
