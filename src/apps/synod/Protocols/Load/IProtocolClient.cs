namespace Synod.App.Protocols.Load;

/// <summary>How an operation ended, as far as its client knows.</summary>
internal enum OperationEnd
{
    Done,
    Aborted,
    Unknown,
}

/// <summary>One client of a protocol, with one operation at a time.</summary>
internal interface IProtocolClient
{
    /// <summary>The client's number in what it asks for.</summary>
    int Number { get; }

    /// <summary>Runs the client's operation of that sequence number to its end.</summary>
    Task<OperationEnd> RunAsync(long sequence, byte[] payload, CancellationToken cancellationToken);
}
