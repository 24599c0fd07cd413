using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>The replicas that agree, in the order in which they are primaries, and the quorums among them.</summary>
public sealed class PbftGroup
{
    /// <param name="replicas">At least four, each once, with ids below <see cref="NodeSet.Capacity"/>.</param>
    /// <param name="cluster">The cluster's name, to which signatures are bound.</param>
    /// <param name="epoch">The configuration's number, to which signatures are bound.</param>
    /// <exception cref="ArgumentException">Fewer than four replicas tolerate no fault; or one is named twice.</exception>
    public PbftGroup(ImmutableArray<NodeId> replicas, string cluster, long epoch)
    {
        Members = NodeSet.Of(replicas.AsSpan());
        if (replicas.Length < 4 || Members.Count != replicas.Length)
        {
            throw new ArgumentException("Four or more distinct replicas are needed.", nameof(replicas));
        }

        Replicas = replicas;
        Domain = new SigningDomain("pbft", cluster, epoch);
        Faults = (replicas.Length - 1) / 3;
        Quorum = (replicas.Length + Faults + 2) / 2;
    }

    public ImmutableArray<NodeId> Replicas { get; }

    public NodeSet Members { get; }

    public SigningDomain Domain { get; }

    /// <summary>f: how many replicas may be Byzantine.</summary>
    public int Faults { get; }

    /// <summary>Any two sets of so many share a correct replica: 2f+1 of 3f+1, in general (n+f+1)/2 rounded up.</summary>
    public int Quorum { get; }

    /// <summary>Among so many is a correct replica: f+1.</summary>
    public int Weak => Faults + 1;

    public NodeId PrimaryOf(long view) => Replicas[(int)(view % Replicas.Length)];

    /// <summary>The position of a replica in vectors of codes; -1 if it is none.</summary>
    public int IndexOf(NodeId replica) => Replicas.IndexOf(replica);
}
