using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>What goes into a message: as much as fits, fairly over origins, and of each origin a run from its oldest end.</summary>
public sealed partial class Scuttlebutt
{
    // Half of a message, so that an answer has room for updates too.
    private int MostDigestEntries => _options.MostMessageBytes / 2 / Progress.Size;

    private int Space(Digest digest) => _options.MostMessageBytes - ScuttlebuttOptions.HeadBytes - (digest.Origins.Length * Progress.Size);

    /// <summary>
    /// How far this replica is with the origins of a span, or with as many of them as fit: then the next digest begins where this one
    /// ends. A turn that is over begins anew at the least origin.
    /// </summary>
    private (Digest Digest, Origin Next) NextDigest(Origin first, Origin last, Origin turn)
    {
        first = turn > first && turn <= last ? turn : first;
        var within = _origins.Where(pair => pair.Key >= first && pair.Key <= last).Select(pair => pair.Value.Progress(pair.Key)).Take(MostDigestEntries + 1).ToList();
        return within.Count <= MostDigestEntries
            ? (new Digest(first, last, [.. within]), Origin.Least)
            : (new Digest(first, within[MostDigestEntries - 1].Origin, [.. within.Take(MostDigestEntries)]), within[MostDigestEntries - 1].Origin.Next);
    }

    /// <summary>What a member lacks by its digest, in at most <paramref name="space"/> bytes.</summary>
    private ImmutableArray<OriginDelta> DeltasFor(NodeId member, Digest digest, int space)
    {
        var runs = Lacking(digest);
        if (_nextTold.Remove(member, out var turn) && _options.Mutation != ScuttlebuttMutation.Unfair)
        {
            runs = [.. runs.Where(run => run.Origin >= turn), .. runs.Where(run => run.Origin < turn)];
        }

        // One update of each in turn: an origin with much to tell takes no more of a message than one with little.
        Origin? cut = null;
        while (runs.Any(run => run.IsOpen))
        {
            foreach (var run in runs.Where(run => run.IsOpen))
            {
                do
                {
                    space -= run.NextSize;
                    if (space < 0)
                    {
                        cut ??= run.Origin;
                        run.Cut();
                    }
                    else
                    {
                        run.Take();
                    }
                }
                while (run.IsOpen && _options.Mutation == ScuttlebuttMutation.Unfair);
            }
        }

        if (cut is { } denied)
        {
            _nextTold[member] = denied;
        }

        return [.. runs.Select(run => run.End(_options.Mutation)).OfType<OriginDelta>()];
    }

    private List<Run> Lacking(Digest digest)
    {
        var theirs = digest.Origins.ToDictionary(progress => progress.Origin);
        var runs = new List<Run>();

        // Who is halfway through a reset has nothing to tell of that origin: what is still to come may be what others would lose.
        foreach (var (origin, state) in _origins.Where(pair => digest.Covers(pair.Key) && pair.Value.IsWhole))
        {
            var (mine, peer) = (state.Progress(origin), theirs.GetValueOrDefault(origin, new Progress(origin, 0, 0)));
            if (mine.Floor > peer.Deletions)
            {
                runs.Add(new Run(origin, state, 0));
            }
            else if ((peer.Floor <= mine.Deletions || _options.Mutation == ScuttlebuttMutation.StaleBelieved)
                && (mine.Max > peer.Max || mine.Floor > peer.Floor))
            {
                runs.Add(new Run(origin, state, Math.Min(peer.Max, mine.Max)));
            }
        }

        return runs;
    }

    /// <summary>A run of an origin's updates while a message is filled with it.</summary>
    private sealed class Run(Origin origin, OriginState state, long from)
    {
        private readonly List<Entry> _taken = [];
        private int _next = state.After(from);
        private bool _isBegun;
        private bool _isCut;

        public Origin Origin => origin;

        public bool IsOpen => !_isCut && (!_isBegun || state.At(_next) is not null);

        /// <summary>What the run's next part takes of a message.</summary>
        public int NextSize => (_isBegun ? 0 : OriginDelta.Size) + (state.At(_next)?.Size ?? 0);

        public void Take()
        {
            _isBegun = true;
            if (state.At(_next) is { } entry)
            {
                _taken.Add(entry);
                _next++;
            }
        }

        public void Cut() => _isCut = true;

        /// <summary>What is sent, or null if nothing fitted. A run that was cut leads through its last update and no further.</summary>
        public OriginDelta? End(ScuttlebuttMutation mutation)
        {
            if (!_isBegun)
            {
                return null;
            }

            if (mutation == ScuttlebuttMutation.NewestFirst && _isCut)
            {
                var newest = state.Current.TakeLast(_taken.Count);
                return new OriginDelta(state.Progress(origin), from, state.Max, [.. newest]);
            }

            var isComplete = !_isCut || mutation == ScuttlebuttMutation.ThroughOverstated;
            return new OriginDelta(state.Progress(origin), from, isComplete ? state.Max : _taken[^1].Version, [.. _taken]);
        }
    }
}
