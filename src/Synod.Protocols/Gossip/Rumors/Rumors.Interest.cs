using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>Interest: what makes a node lose it, and what it keeps of rumors and contacts meanwhile.</summary>
public sealed partial class Rumors
{
    /// <summary>Blind rules count what was sent.</summary>
    private void Sent(ImmutableArray<Rumor> rumors, StepContext context)
    {
        foreach (var rumor in rumors)
        {
            if (!_hot.TryGetValue(rumor.Id, out var hot))
            {
                continue;
            }

            hot.Sends++;
            if (!UsesFeedback || _options.Mutation == RumorsMutation.InterestLostAtOnce)
            {
                Lose(hot, context);
            }
        }
    }

    /// <summary>
    /// Rules with feedback count contacts in a row that did not need it; of offers, which may be many in a round, all as one, that needed
    /// it if any did (§4).
    /// </summary>
    private void Hear(Contact contact, ImmutableArray<int> known, StepContext context)
    {
        var places = ImmutableCollectionsMarshal.AsArray(known)!;
        for (var place = 0; place < contact.Ids.Count; place++)
        {
            if (!_hot.TryGetValue(contact.Ids[place], out var hot))
            {
                continue;
            }

            var wasNeeded = Array.BinarySearch(places, place) < 0;
            if (contact.IsOffer && _options.Loss == InterestLoss.FeedbackCounter)
            {
                hot.WasNeeded |= wasNeeded;
                hot.WasKnown |= !wasNeeded;
            }
            else if (wasNeeded)
            {
                hot.Count = 0;
            }
            else
            {
                Lose(hot, context);
            }
        }
    }

    /// <summary>The end of a round for what was offered in it.</summary>
    private void EndCycle()
    {
        List<RumorId>? cold = null;
        foreach (var (id, hot) in _hot)
        {
            if (hot.WasNeeded)
            {
                hot.Count = 0;
            }
            else if (hot.WasKnown && ++hot.Count >= _options.K)
            {
                (cold ??= []).Add(id);
            }

            (hot.WasNeeded, hot.WasKnown) = (false, false);
        }

        cold?.ForEach(id => Cool(id));
    }

    private void Lose(HotRumor hot, StepContext context)
    {
        var isCounter = _options.Loss is InterestLoss.FeedbackCounter or InterestLoss.BlindCounter;
        if ((isCounter ? ++hot.Count >= _options.K : context.Choose(_options.K) == 0) || _options.Mutation == RumorsMutation.InterestLostAtOnce)
        {
            Cool(hot.Rumor.Id);
        }
    }

    private void Cool(RumorId id)
    {
        if (_options.Mutation != RumorsMutation.InterestKept)
        {
            _hot.Remove(id);
        }
    }

    /// <summary>A rumor that this node is interested in.</summary>
    private sealed class HotRumor
    {
        private Rumor _rumor = new(default, default);
        private int _sends;
        private int _count;
        private bool _wasNeeded;
        private bool _wasKnown;

        public Rumor Rumor { get => _rumor; init => _rumor = value; }

        public int Sends { get => _sends; set => _sends = value; }

        /// <summary>What the rule of loss counts.</summary>
        public int Count { get => _count; set => _count = value; }

        public bool WasNeeded { get => _wasNeeded; set => _wasNeeded = value; }

        public bool WasKnown { get => _wasKnown; set => _wasKnown = value; }

        public void State(StateVisitor visitor)
        {
            visitor.Visit("", ref _rumor, Rumor.Wire.Instance);
            visitor.Visit("sends", ref _sends);
            visitor.Visit("count", ref _count);
            visitor.Visit("needed", ref _wasNeeded);
            visitor.Visit("known", ref _wasKnown);
        }
    }

    /// <summary>Rumors that were sent to a peer whose answer is to come.</summary>
    private sealed class Contact
    {
        private NodeId _peer;
        private long _round;
        private bool _isOffer;

        public NodeId Peer { get => _peer; init => _peer = value; }

        public long Round { get => _round; init => _round = value; }

        public bool IsOffer { get => _isOffer; init => _isOffer = value; }

        public List<RumorId> Ids { get; } = [];

        public void State(StateVisitor visitor)
        {
            visitor.Visit("", ref _peer);
            visitor.Visit("round", ref _round);
            visitor.Visit("offer", ref _isOffer);
            visitor.Visit("ids", Ids, static (v, ref id) => v.Visit("", ref id, RumorId.Wire.Instance));
        }
    }
}
