using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>What a host asks of a protocol that spreads rumors, and what it is handed.</summary>
public abstract record RumorCommand
{
    /// <summary>Starts a rumor here. The host knows it by the answer; only others are handed it.</summary>
    public sealed record Spread(ReadOnlyMemory<byte> Body) : RumorCommand
    {
        public override string ToString() => $"Spread {(Body.Length <= 16 ? new Key(Body) : $"{Body.Length} bytes")}";
    }

    /// <summary>
    /// Submitted: this was found in another way, as by anti-entropy, and is to be spread again. Executed: this rumor became known here,
    /// once in the life of a process.
    /// </summary>
    public sealed record Learn(Rumor Rumor) : RumorCommand
    {
        public override string ToString() => $"Learn {Rumor}";
    }

    /// <summary>From now on these are the peers: of rumor mongering all that it may draw, of a tree its neighbours.</summary>
    public sealed record Meet(PeerView Peers) : RumorCommand
    {
        public override string ToString() => $"Meet {Peers}";
    }
}

/// <summary>What a host is answered.</summary>
public abstract record RumorResult
{
    /// <summary>The rumor has this id and is on this node's disk: a crash delays it and does not lose it.</summary>
    public sealed record Started(RumorId Id) : RumorResult
    {
        public override string ToString() => $"Started {Id}";
    }

    /// <summary>Whether what was found was news.</summary>
    public sealed record Learned(bool IsNews) : RumorResult
    {
        public override string ToString() => IsNews ? "Learned" : "Known";
    }

    /// <summary>The peers are those given.</summary>
    public sealed record Met : RumorResult
    {
        public override string ToString() => "Met";
    }

    /// <summary>Nothing was done, and why.</summary>
    public sealed record Refused(Refusal Reason) : RumorResult
    {
        public override string ToString() => $"Refused {Reason}";
    }
}

/// <summary>What is made durable. Rumors of others are not: whoever forgot them hears them again, or from anti-entropy.</summary>
public abstract record RumorRecord
{
    /// <summary>Origin, before anybody hears of it: this id has this body.</summary>
    public sealed record Started(Rumor Rumor) : RumorRecord
    {
        public override string ToString() => $"Started {Rumor}";
    }

    /// <summary>Origin, at a checkpoint: the numbers up to this one are in use.</summary>
    public sealed record Counted(long Counter) : RumorRecord
    {
        public override string ToString() => $"Counted {Counter}";
    }
}
