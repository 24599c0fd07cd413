using Synod.Core;

namespace Synod.Protocols.Byzantine;

public sealed partial class Pbft
{
    /// <summary>What a replica knows about one slot above its stable checkpoint.</summary>
    private sealed class SlotEntry
    {
        /// <summary>The pre-prepare accepted in the current view; null for none.</summary>
        public Proposal? Proposal { get; set; }

        public Votes Prepares { get; } = new();

        public Votes Commits { get; } = new();

        /// <summary>prepared(v, n, d) in the current view: a commit is sent.</summary>
        public bool IsPrepared { get; set; }

        /// <summary>The proof of the highest view in which the slot prepared here: what a view change must tell.</summary>
        public Prepared? Proof { get; set; }

        /// <summary>The digests that were pre-prepared here last, and the last view in which each was.</summary>
        public SortedDictionary<Digest, long> Accepted { get; } = [];

        /// <summary>What others say was committed, each once.</summary>
        public SortedDictionary<NodeId, Digest> Claims { get; } = [];

        /// <summary>Committed-local, or committed at a correct replica by f+1 claims; <see cref="Decision"/> is for ever.</summary>
        public bool IsDecided { get; set; }

        public Digest Decision { get; set; }

        /// <summary>Whether anything is known that waits for more.</summary>
        public bool IsOpen => !IsDecided && (Proposal is not null || Prepares.Count > 0 || Commits.Count > 0 || Claims.Count > 0);

        /// <summary>
        /// Notes that a digest was pre-prepared in a view. Of more than <paramref name="most"/> the one of the lowest view is forgotten;
        /// not the one that prepared here, which others may need.
        /// </summary>
        public void Accept(Digest digest, long view, int most)
        {
            Accepted[digest] = Math.Max(Accepted.GetValueOrDefault(digest), view);
            if (Accepted.Count > most)
            {
                Accepted.Remove(Accepted.Where(pair => pair.Key != Proof?.Digest).MinBy(pair => pair.Value).Key);
            }
        }

        /// <summary>Whether it was pre-prepared here in that view or above, or so many were above it that it may be forgotten.</summary>
        public bool Stands(Digest digest, long view, int most) =>
            Accepted.TryGetValue(digest, out var last) ? last >= view : Accepted.Values.Count(above => above > view) >= most - 1;

        public void LeaveView()
        {
            Proposal = null;
            Prepares.Clear();
            Commits.Clear();
            IsPrepared = false;
        }

        /// <summary>What is known, without who signed it.</summary>
        public void WriteEssence(CodecWriter writer, Slot slot)
        {
            writer.Slot(slot);
            writer.Bool(IsPrepared);
            writer.Bool(IsDecided);
            Decision.Write(writer);
            (Proposal?.Digest ?? default).Write(writer);
            writer.Bool(Proposal is not null);
            writer.Signed(Proof?.View ?? -1);
            (Proof?.Digest ?? default).Write(writer);
            Prepares.WriteEssence(writer);
            Commits.WriteEssence(writer);
            foreach (var (sender, digest) in Claims)
            {
                writer.Node(sender);
                digest.Write(writer);
            }

            writer.Byte(0);
        }

        public void State(StateVisitor visitor)
        {
            Proposal = VisitOptional(visitor, "proposal", Proposal, Proposals);
            Prepares.State("prepares", visitor);
            Commits.State("commits", visitor);
            var (isPrepared, isDecided, decision) = (IsPrepared, IsDecided, Decision);
            visitor.Visit("prepared", ref isPrepared);
            visitor.Visit("decided", ref isDecided);
            visitor.Visit("", ref decision, DigestWire.Instance);
            (IsPrepared, IsDecided, Decision) = (isPrepared, isDecided, decision);
            Proof = VisitOptional(visitor, "proof", Proof, Proofs);
            visitor.Visit(
                "accepted",
                Accepted,
                static (v, ref digest) => v.Visit("", ref digest, DigestWire.Instance),
                static (v, ref view) => v.Visit("", ref view));
            visitor.Visit(
                "claims",
                Claims,
                static (v, ref node) => v.Visit("", ref node),
                static (v, ref digest) => v.Visit("", ref digest, DigestWire.Instance));
        }
    }

    /// <summary>
    /// The votes of one phase, view and slot, one for each sender: the first. A second one that differs is equivocation, and neither
    /// a second equal one counts.
    /// </summary>
    private sealed class Votes
    {
        private readonly SortedDictionary<NodeId, Vote> _bySender = [];

        /// <summary>For the mutant that counts messages instead of senders.</summary>
        private int _repeated;

        public int Count => _bySender.Count;

        public bool TryGet(NodeId sender, out Vote vote) => _bySender.TryGetValue(sender, out vote);

        public void Add(NodeId sender, Vote vote) => _bySender.Add(sender, vote);

        public void Remove(NodeId sender) => _bySender.Remove(sender);

        public void Repeat() => _repeated++;

        public int CountOf(Digest digest, bool whatever = false)
        {
            var count = _repeated;
            foreach (var (_, vote) in _bySender)
            {
                count += vote.Digest == digest || whatever ? 1 : 0;
            }

            return count;
        }

        /// <summary>Who voted for a digest, in ascending order, with the signatures.</summary>
        public IEnumerable<Endorsement> For(Digest digest)
        {
            foreach (var (sender, vote) in _bySender)
            {
                if (vote.Digest == digest)
                {
                    yield return new(sender, vote.Authenticator is Authenticator.Signed signed ? signed.Signature : default);
                }
            }
        }

        public void Clear()
        {
            _bySender.Clear();
            _repeated = 0;
        }

        public void WriteEssence(CodecWriter writer)
        {
            writer.Int(_repeated);
            foreach (var (sender, vote) in _bySender)
            {
                writer.Node(sender);
                vote.Digest.Write(writer);
            }

            writer.Byte(0);
        }

        public void State(string name, StateVisitor visitor)
        {
            visitor.Visit(name, ref _repeated);
            visitor.Visit(
                "by",
                _bySender,
                static (v, ref node) => v.Visit("", ref node),
                static (v, ref vote) =>
                {
                    var (digest, authenticator) = (vote.Digest, vote.Authenticator);
                    v.Visit("", ref digest, DigestWire.Instance);
                    v.Visit("", ref authenticator, Authenticators);
                    vote = new(digest, authenticator);
                });
        }
    }

    private readonly record struct Vote(Digest Digest, Authenticator Authenticator);
}
