using System.Security.Cryptography;
using System.Text;

namespace Synod.Api;

/// <summary>What clients must say to be let in.</summary>
/// <param name="token">The token, or null to ask for none.</param>
public sealed class ClusterToken(string? token)
{
    // Comparing hashes takes the same time wherever the two differ, and whatever their lengths.
    private readonly byte[]? _expected = token is null ? null : SHA256.HashData(Encoding.UTF8.GetBytes(token));

    /// <summary>Why whoever said <paramref name="given"/> is not let in; null if it is.</summary>
    /// <param name="given">What was said; null if nothing was.</param>
    public string? Refusal(string? given) =>
        _expected is null ? null
        : given is null ? "The node asks for a token and the client sent none. Give the client the cluster's token."
        : CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given)), _expected) ? null
        : "The client's token is not the cluster's. Give the client the token that the nodes were started with.";
}
