using System.IO.Hashing;
using System.Runtime.InteropServices;
using Synod.Core;
using Synod.Exploration;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Worlds;

using Machine = Protocol<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>;
using Part = RoundPart<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>;

/// <summary>
/// What decides on what follows from a world of HotStuff replicas: what each is apart from blocks, and the tree of the blocks that still matter,
/// told by who names them as what. Those are the blocks that certificates name, with those before them by which chains are judged, and those
/// that may yet be certified. What blocks hold does not matter, nor what lies further back between them. Views are told by how far back they are.
/// </summary>
/// <remarks>
/// Why it says enough: the rules look at views of certificates, at whether one named block is an ancestor of another, and at chains of
/// as many blocks as <see cref="IHotStuffRules.Chain"/>; a vote acts through the certificate that it may become a part of.
/// </remarks>
/// <param name="rules">By which they vote and commit.</param>
/// <param name="quorum">How many votes make a certificate.</param>
/// <param name="members">The replica at each address.</param>
/// <param name="liars">Who may vote more than once.</param>
internal sealed class HotStuffEssence(IHotStuffRules rules, int quorum, IReadOnlyList<NodeId> members, NodeSet liars)
    : RoundEssence<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>
{
    private readonly BlockTable _blocks = new();
    private readonly CodecWriter _writer = new();
    private readonly BlockForest _forest = new();
    private readonly List<HotStuffNote> _notes = [];
    private readonly List<(VotePhase Phase, NodeId Voter, long View, int Block)> _sent = [];
    private int _round;

    public override bool ForgetsRounds => true;

    public static HotStuff Replica(Machine machine) =>
        (HotStuff)((Disguise<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>)machine).Inner;

    public override void Begin(int round)
    {
        _round = round;
        _blocks.Clear();
    }

    public override void Simplify(Machine node) => Replica(node).Simplify();

    public override void Witness(CodecWriter writer, Machine node) => Replica(node).WriteWitness(writer);

    public override void WriteWithin(CodecWriter writer, Machine node) => Replica(node).WriteWithin(writer);

    public override void WriteWithin(CodecWriter writer, HotStuff.Message message) =>
        HotStuff.WriteEssence(writer, message, 0, rules.JudgesTimeouts, (naming, digest) => digest.Write(writer));

    public override RoundNote Note(Part part, IReadOnlyList<Renaming> renamings)
    {
        var replica = part.Node is null ? null : Replica(part.Node);
        foreach (var block in (replica?.EveryBlock ?? []).Concat(part.Waiting.SelectMany(waiting => HotStuff.BlocksIn(waiting.Message))))
        {
            _blocks.Add(block);
        }

        var named = new List<(int Block, ulong As, int To)>();
        replica?.Name((naming, digest) => Add(naming, digest, 0, -1));
        var prints = renamings.Select(renaming => Own(part, replica, renaming, renaming.Number == 0 ? Add : (_, _, _, _) => { })).ToArray();
        return new HotStuffNote
        {
            Index = part.Index,
            Face = prints[^1],
            Own = prints,
            Replica = replica is null ? default : new(replica.View, replica.TimedOutView, replica.VotedView, replica.VotedPhase),
            Named = [.. named],
            Open = [.. replica?.OpenBlocks.Select(block => _blocks.NumberOf(block.Digest)) ?? []],
            Votes = [.. replica?.Votes.Select(item => (item.Vote.Phase, item.Voter, item.Vote.View, _blocks.NumberOf(item.Vote.Block))) ?? []],
            Sent = [.. part.Waiting.Select(waiting => waiting.Message).OfType<HotStuff.Message.Vote>().Select(vote =>
                (vote.Phase, part.Index < 0 ? NodeId.None : members[part.Index], vote.View, _blocks.NumberOf(vote.Block)))],
            Late = replica?.Late ?? NodeSet.Empty,
        };

        void Add(HotStuff.Naming naming, Digest digest, int message, int to)
        {
            if (digest != Digest.None)
            {
                named.Add((_blocks.NumberOf(digest), (ulong)message << 8 | (byte)naming, to));
            }
        }
    }

    public override void Behold(ReadOnlySpan<RoundNote> notes)
    {
        _notes.Clear();
        _sent.Clear();
        _forest.Clear(_blocks);
        foreach (var note in notes)
        {
            var known = (HotStuffNote)note;
            _notes.Add(known);
            _sent.AddRange(known.Sent);
            foreach (var (block, _, _) in known.Named)
            {
                _forest.Include(block, rules.Chain - 1);
            }
        }

        foreach (var note in _notes)
        {
            foreach (var block in note.Open)
            {
                if (!_forest.Contains(block) && MayBeCertified(block))
                {
                    _forest.Include(block, rules.Chain - 1);
                }
            }
        }

        _forest.Arrange();
    }

    public override UInt128 Print(ReadOnlySpan<RoundNote> notes, Renaming renaming)
    {
        Span<UInt128> own = stackalloc UInt128[_notes.Count + 1];
        _forest.Begin();
        var extra = UInt128.Zero;
        foreach (var note in _notes)
        {
            var place = note.Index < 0 ? members.Count : renaming.Places[note.Index];
            own[place] = note.Own[renaming.Number];
            foreach (var (block, naming, to) in note.Named)
            {
                _forest.Label(block, naming << 8 | (uint)place, to < 0 ? 0 : 1 + (ulong)renaming.Places[to]);
            }

            foreach (var block in note.Open)
            {
                _forest.Label(block, (uint)place, 1_000);
            }

            foreach (var (phase, voter, view, block) in note.Votes)
            {
                var about = (ulong)(uint)renaming.Of(voter).Value << 16 | (ulong)phase << 8 | (uint)place;
                if (Counts(note, phase, view, block))
                {
                    _forest.Label(block, about, 2_000 + (ulong)(view - _round + 64));
                }
                else if (Bars(note, phase, voter, view))
                {
                    extra += BlockForest.Mix(about, 3_000 + (ulong)(view - _round + 64));
                }
            }

            foreach (var late in LateOf(note))
            {
                extra += BlockForest.Mix((ulong)(uint)renaming.Of(late).Value << 8 | (uint)place, 4_000);
            }
        }

        own[^1] = _forest.Print(_round) + extra;
        return XxHash128.HashToUInt128(MemoryMarshal.AsBytes(own));
    }

    public override UInt128 Surplus(RoundNote note)
    {
        var known = (HotStuffNote)note;
        var surplus = UInt128.Zero;
        foreach (var block in known.Open)
        {
            if (IsOver(known, block))
            {
                surplus += BlockForest.Mix((ulong)block, 1);
            }
        }

        foreach (var (phase, voter, view, block) in known.Votes)
        {
            if (IsVain(known, phase, voter, view, block))
            {
                surplus += BlockForest.Mix((ulong)(uint)voter.Value << 8 | (ulong)phase, 2);
            }
        }

        return surplus + (UInt128)(uint)(known.Late.Count - LateOf(known).Count);
    }

    public override void Forget(RoundNote note, Machine node)
    {
        var known = (HotStuffNote)note;
        Replica(node).Forget(
            digest => IsOver(known, _blocks.NumberOf(digest)),
            (voter, vote) => IsVain(known, vote.Phase, voter, vote.View, _blocks.NumberOf(vote.Block)),
            LateOf(known));
    }

    /// <summary>What a part is apart from blocks. At the end of a round everybody who is not beyond it says that it gives its view up.</summary>
    private UInt128 Own(Part part, HotStuff? replica, Renaming renaming, Action<HotStuff.Naming, Digest, int, int> name)
    {
        _writer.Clear();
        _writer.Renaming = renaming.Of;
        replica?.WriteEssence(_writer, _round);
        foreach (var timer in part.Timers)
        {
            _writer.Int(timer.Kind);
        }

        // Added up, since nobody hears what others are told: to whom first is nothing to anyone.
        var own = XxHash128.HashToUInt128(_writer.Span);
        for (var index = 0; index < part.Waiting.Count; index++)
        {
            var (_, to, message) = part.Waiting[index];
            if (message is HotStuff.Message.Timeout && replica is not null)
            {
                continue;
            }

            var number = part.Waiting.Take(index).Count(other => other.To == to);
            _writer.Clear();
            _writer.Int(to < 0 ? -1 : renaming.Places[to]);
            _writer.Int(number);
            HotStuff.WriteEssence(_writer, message, _round, rules.JudgesTimeouts, (naming, digest) => name(naming, digest, number, to));
            own += XxHash128.HashToUInt128(_writer.Span);
        }

        _writer.Renaming = null;
        return own;
    }

    private bool IsOver(HotStuffNote note, int block) => !_forest.Contains(block) && _blocks.ViewOf(block) < note.Replica.View;

    private bool IsVain(HotStuffNote note, VotePhase phase, NodeId voter, long view, int block) =>
        !Counts(note, phase, view, block) && !Bars(note, phase, voter, view);

    /// <summary>Those of the late ones who may yet say that they gave up.</summary>
    private NodeSet LateOf(HotStuffNote note)
    {
        var late = NodeSet.Empty;
        foreach (var member in note.Late)
        {
            foreach (var other in _notes)
            {
                if (other.Index >= 0 && members[other.Index] == member && other.Replica.View < note.Replica.View)
                {
                    late = late.With(member);
                }
            }
        }

        return late;
    }

    private bool MayBeCertified(int block)
    {
        var view = _blocks.ViewOf(block);
        for (var phase = VotePhase.Prepare; (int)phase < rules.Phases; phase++)
        {
            var able = Able(phase, view, block);
            if (able.Count >= quorum)
            {
                return true;
            }

            foreach (var note in _notes)
            {
                if (able.Union(VotersOf(note, phase, view, block)).Count >= quorum)
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Whether the votes for a block in a phase that a replica holds may become a certificate.</summary>
    private bool Counts(HotStuffNote note, VotePhase phase, long view, int block) =>
        _forest.Contains(block) && Able(phase, view, block).Union(VotersOf(note, phase, view, block)).Count >= quorum;

    /// <summary>Whether a vote that comes to nothing keeps another of the same voter from being counted.</summary>
    private bool Bars(HotStuffNote note, VotePhase phase, NodeId voter, long view)
    {
        if (liars.Contains(voter))
        {
            return true;
        }

        foreach (var other in _notes)
        {
            if (other.Index >= 0 && members[other.Index] == voter && other.Replica.MayVote(view, phase))
            {
                return true;
            }
        }

        foreach (var sent in _sent)
        {
            if (sent.Voter == voter && sent.Phase == phase && sent.View <= view && sent.View >= note.Replica.View)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Who may yet vote for a block, or has and is not heard yet.</summary>
    private NodeSet Able(VotePhase phase, long view, int block)
    {
        var able = liars;
        foreach (var note in _notes)
        {
            if (note.Index >= 0 && note.Replica.MayVote(view, phase))
            {
                able = able.With(members[note.Index]);
            }
        }

        foreach (var sent in _sent)
        {
            if (sent.Phase == phase && sent.Block == block && sent.View == view && sent.Voter != NodeId.None)
            {
                able = able.With(sent.Voter);
            }
        }

        return able;
    }

    private static NodeSet VotersOf(HotStuffNote note, VotePhase phase, long view, int block)
    {
        var voters = NodeSet.Empty;
        foreach (var vote in note.Votes)
        {
            if (vote.Phase == phase && vote.View == view && vote.Block == block)
            {
                voters = voters.With(vote.Voter);
            }
        }

        return voters;
    }
}

/// <summary>What is kept of a replica, or of what may be said again.</summary>
internal sealed class HotStuffNote : RoundNote
{
    /// <summary>The address; negative for what may be said again.</summary>
    public required int Index { get; init; }

    /// <summary>What it is apart from blocks, under each renaming.</summary>
    public required UInt128[] Own { get; init; }

    /// <summary>How far the replica is.</summary>
    public required Standing Replica { get; init; }

    /// <summary>The blocks that it names, as what, and in a message to whom.</summary>
    public required (int Block, ulong As, int To)[] Named { get; init; }

    public required int[] Open { get; init; }

    public required (VotePhase Phase, NodeId Voter, long View, int Block)[] Votes { get; init; }

    /// <summary>Votes that wait to be heard.</summary>
    public required (VotePhase Phase, NodeId Voter, long View, int Block)[] Sent { get; init; }

    public required NodeSet Late { get; init; }

    /// <summary>The view, and what was said in it.</summary>
    internal readonly record struct Standing(long View, long TimedOut, long VotedView, VotePhase VotedPhase)
    {
        /// <summary>Whether a vote may yet be given.</summary>
        public bool MayVote(long view, VotePhase phase) =>
            View <= view && TimedOut < view && (VotedView < view || (VotedView == view && VotedPhase < phase));
    }
}
