using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Synod.Client;

/// <summary>How a <see cref="SynodClient"/> reaches its cluster.</summary>
public sealed record SynodClientOptions
{
    /// <summary>Where to start, as <c>host:port</c>: one node suffices, more survive its absence. The rest is found from there.</summary>
    public IReadOnlyList<string> Endpoints { get; init; } = [];

    /// <summary>The token that the cluster's nodes ask for, or null if they ask for none.</summary>
    public string? Token { get; init; }

    /// <summary>TLS towards the nodes; null speaks in the clear, which is refused towards other machines.</summary>
    public ClientTls? Tls { get; init; }

    /// <summary>Permits plain connections to other machines. Everyone on the way can read the data and the token.</summary>
    public bool AllowPlaintext { get; init; }

    /// <summary>The clock of every delay and timeout.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>
    /// Fixes the randomness of the client, for simulations. Two clients of one cluster must never share a seed: session ids are
    /// drawn from it, and the cluster takes equal ids for one client. Null draws from the operating system.
    /// </summary>
    public ulong? Seed { get; init; }

    /// <summary>How long to wait for one node's response before asking elsewhere. Large commits get more.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long to look for a node that serves a request before <see cref="SynodUnavailableException"/>.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long to ask for the outcome of a commit that was sent, before it is reported as unknown.</summary>
    public TimeSpan CommitTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a transaction is tried before a conflict is reported as aborted. It grows old, and so it gets through.</summary>
    public int MaxAttempts { get; init; } = int.MaxValue;

    /// <summary>How often a transaction's locks are kept alive while its delegate thinks.</summary>
    public TimeSpan KeepAliveInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The first pause after a failure or a conflict; doubles up to <see cref="MaxBackoff"/>, with jitter.</summary>
    public TimeSpan MinBackoff { get; init; } = TimeSpan.FromMilliseconds(2);

    /// <summary>The longest pause between two tries.</summary>
    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How many keys a scan asks for at a time.</summary>
    public int PageKeys { get; init; } = 1_000;

    /// <exception cref="ArgumentException">A setting contradicts itself.</exception>
    internal SynodClientOptions Validated()
    {
        if (Endpoints.Count == 0)
        {
            throw new ArgumentException("The client has no endpoints. Name at least one node as host:port.");
        }

        if (CallTimeout <= TimeSpan.Zero || RequestTimeout <= TimeSpan.Zero || CommitTimeout <= TimeSpan.Zero
            || KeepAliveInterval <= TimeSpan.Zero || MinBackoff <= TimeSpan.Zero || MaxBackoff < MinBackoff)
        {
            throw new ArgumentException("A timeout, interval or backoff of the client is zero or negative. All must be positive.");
        }

        return PageKeys > 0 && MaxAttempts > 0
            ? this
            : throw new ArgumentException("PageKeys and MaxAttempts of the client must be at least 1.");
    }
}

/// <summary>How the client knows that a node is a node of its cluster.</summary>
public sealed record ClientTls
{
    private const string WhatIsMeant = "Give the PEM file ca.crt that 'synod cert create' made for the cluster.";

    /// <summary>The authorities that sign the nodes' certificates; null trusts those of the operating system.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>Trusts the authorities of a PEM file, such as the <c>ca.crt</c> that <c>synod cert create</c> writes.</summary>
    /// <exception cref="ArgumentException">The file holds no certificate.</exception>
    public static ClientTls FromFile(string path)
    {
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPemFile(path);
        }
        catch (CryptographicException broken)
        {
            throw new ArgumentException($"The authority '{path}' cannot be read: {broken.Message} {WhatIsMeant}", nameof(path), broken);
        }

        return authorities.Count > 0
            ? new ClientTls { Authorities = authorities }
            : throw new ArgumentException($"The authority '{path}' holds no certificate. {WhatIsMeant}", nameof(path));
    }
}
