using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>The three messages of a round: who lacks what, and what may be taken.</summary>
public sealed partial class Scuttlebutt
{
    private void On(NodeId from, Message.Ask ask, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!IsSound(ask.Digest))
        {
            outbox.Refuse(Refusal.Malformed);
            return;
        }

        Hear(from, ask.Digest, context, outbox);
        var (digest, next) = NextDigest(ask.Digest.First, ask.Digest.Last, _nextAnswered.GetValueOrDefault(from));
        if (next == Origin.Least)
        {
            _nextAnswered.Remove(from);
        }
        else
        {
            _nextAnswered[from] = next;
        }

        Send(from, new Message.Exchange(ask.Round, DeltasFor(from, ask.Digest, Space(digest)), digest), outbox);
    }

    private void On(NodeId from, Message.Exchange exchange, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        // An answer is taken once, and only from whom was asked: a packet that is played again starts nothing.
        if (!_asked.TryGetValue(exchange.Round, out var peer) || peer != from)
        {
            outbox.Refuse(Refusal.Unexpected);
            return;
        }

        if (!IsSound(exchange.Digest))
        {
            outbox.Refuse(Refusal.Malformed);
            return;
        }

        _asked.Remove(exchange.Round);
        Learn(exchange.Deltas, outbox);
        Hear(from, exchange.Digest, context, outbox);
        var deltas = DeltasFor(from, exchange.Digest, _options.MostMessageBytes - ScuttlebuttOptions.HeadBytes);
        if (!deltas.IsEmpty)
        {
            Send(from, new Message.Tell(deltas), outbox);
        }
    }

    /// <summary>
    /// A member's progress with this origin. If it is ahead of this disk, the disk is not what it was, whatever its operator says: then
    /// numbers must not be used again.
    /// </summary>
    private void Hear(NodeId from, Digest digest, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (var progress in digest.Origins.Where(progress => progress.Origin == WritesAs))
        {
            if (progress.Max > Own.Max && _options.Mutation != ScuttlebuttMutation.VersionWithoutOrigin)
            {
                Begin(context, outbox);
                return;
            }

            _heard[from] = Math.Max(_heard.GetValueOrDefault(from), progress.Deletions);
        }
    }

    private void Learn(ImmutableArray<OriginDelta> deltas, Outbox<Message, Record, Command, Result> outbox)
    {
        if (deltas.Sum(delta => (long)OriginDelta.Size + delta.Entries.Sum(entry => (long)entry.Size)) > _options.MostMessageBytes)
        {
            outbox.Refuse(Refusal.Malformed);
            return;
        }

        foreach (var delta in deltas)
        {
            if (Objection(delta) is { } refusal)
            {
                outbox.Refuse(refusal);
            }
            else
            {
                Take(new Record.Learned(delta), outbox);
            }
        }
    }

    /// <summary>Why a run may not be taken; null if it may.</summary>
    private Refusal? Objection(OriginDelta delta)
    {
        var (origin, floor, _) = delta.Sender;
        if (origin == _self && _options.Mutation is not (ScuttlebuttMutation.ForgedOriginTaken or ScuttlebuttMutation.VersionWithoutOrigin))
        {
            return Refusal.Forged;
        }

        if (!_roster.Accepts(origin) && !(_options.Mutation == ScuttlebuttMutation.FencedAccepted && _roster.Has(origin.Node)))
        {
            return Refusal.NotMember;
        }

        if (!IsSound(delta))
        {
            return Refusal.Malformed;
        }

        var own = _origins.TryGetValue(origin, out var state) ? state.Progress(origin) : new Progress(origin, 0, 0);
        if (floor > own.Deletions)
        {
            // The sender has forgotten deletions that are not known here: only all that it has says what is gone.
            return delta.From == 0 ? null : Refusal.NotReady;
        }

        if (own.Floor > delta.Sender.Deletions && _options.Mutation != ScuttlebuttMutation.StaleBelieved)
        {
            return Refusal.Unsafe;
        }

        if (delta.From > own.Max && _options.Mutation != ScuttlebuttMutation.GapAccepted)
        {
            return Refusal.Unexpected;
        }

        return delta.Through > own.Max || floor > own.Floor ? null : Refusal.Duplicate;
    }

    private static bool IsSound(OriginDelta delta)
    {
        var (last, sender) = (delta.From, delta.Sender);
        foreach (var entry in delta.Entries)
        {
            if (entry.Version <= last || (entry.IsDeleted && entry.Value.Length > 0))
            {
                return false;
            }

            last = entry.Version;
        }

        return delta.From >= 0 && sender.Floor >= 0 && delta.Through >= last && delta.Through <= sender.Max && sender.Max >= sender.Floor;
    }

    private bool IsSound(Digest digest)
    {
        if (digest.First > digest.Last || digest.Origins.Length > MostDigestEntries)
        {
            return false;
        }

        for (var at = 0; at < digest.Origins.Length; at++)
        {
            var (origin, floor, max) = digest.Origins[at];
            if (!digest.Covers(origin) || floor < 0 || max < 0 || (at > 0 && origin <= digest.Origins[at - 1].Origin))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Drops own tombstones that every member has, and the oldest beyond the cap whoever lacks them. Raising the floor is what makes
    /// both safe: whoever is below it takes everything anew.
    /// </summary>
    private void ForgetTombstones(Outbox<Message, Record, Command, Result> outbox)
    {
        if (Own.Tombstones == 0)
        {
            return;
        }

        var others = _roster.Members.Remove(_node);
        var known = others.IsEmpty ? Own.Max : others.Min(node => _heard.GetValueOrDefault(node));
        var floor = Own.NewestTombstone(known);
        if (Own.Tombstones > _options.MostTombstones)
        {
            floor = Math.Max(floor, Own.TombstoneVersion(Own.Tombstones - _options.MostTombstones - 1));
        }

        if (floor > 0)
        {
            Take(new Record.Forgot(floor), outbox);
        }
    }
}
