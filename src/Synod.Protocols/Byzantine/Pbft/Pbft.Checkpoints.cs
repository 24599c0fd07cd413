using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>Checkpoints, water marks and the end of what is below them (pbft.md §3; Castro and Liskov 2002, §2.3.4).</summary>
public sealed partial class Pbft
{
    /// <summary>Votes for checkpoints that are kept of one replica: it cannot fill memory with slots to come.</summary>
    private const int MaxCheckpointVotes = 4;

    private readonly SortedDictionary<Slot, Votes> _checkpointVotes = [];
    private readonly SortedDictionary<Slot, StateTree> _saved = [];
    private CheckpointProof _stable = new(Slot.None, Digest.None, []);

    /// <summary>A checkpoint that is stable but whose state was not reached here: it is waited for a little, then fetched.</summary>
    private CheckpointProof? _ahead;

    /// <summary>The state is durable before its digest is told: others drop the log that led to it.</summary>
    private StateTree SaveCheckpoint()
    {
        var tree = TreeOf(SaveState());
        _saved[_executed] = tree;
        _out.Persist(new Record.Saved(_executed, tree.State));
        return tree;
    }

    private void TakeCheckpoint()
    {
        var tree = SaveCheckpoint();
        var signature = _signer.Sign(_statements.Checkpoint(_executed, tree.Root));
        _out.Send(_others, new Message.Checkpoint(_executed, tree.Root, signature));
        CountCheckpoint(_self, _executed, new(tree.Root, new Authenticator.Signed(signature)));
    }

    private void On(NodeId from, Message.Checkpoint m)
    {
        if (m.Slot <= Stable)
        {
            _out.Refuse(Refusal.Duplicate);
        }
        else if (m.Slot.Value % _options.CheckpointPeriod != 0)
        {
            _out.Refuse(Refusal.Malformed);
        }
        else if (!_signer.Verify(from, _statements.Checkpoint(m.Slot, m.State), m.Signature))
        {
            _out.Refuse(Refusal.Forged);
        }
        else if (_checkpointVotes.TryGetValue(m.Slot, out var votes) && votes.TryGet(from, out var first))
        {
            _out.Refuse(first.Digest == m.State ? Refusal.Duplicate : Refusal.Equivocation);
        }
        else
        {
            CountCheckpoint(from, m.Slot, new(m.State, new Authenticator.Signed(m.Signature)));
            ArmStatus();
        }
    }

    private void CountCheckpoint(NodeId from, Slot slot, Vote vote)
    {
        Slot[] known = [.. _checkpointVotes.Where(pair => pair.Value.TryGet(from, out _)).Select(pair => pair.Key)];
        if (known.Length >= MaxCheckpointVotes)
        {
            if (slot < known[0])
            {
                _out.Refuse(Refusal.Unexpected);
                return;
            }

            var oldest = _checkpointVotes[known[0]];
            oldest.Remove(from);
            if (oldest.Count == 0)
            {
                _checkpointVotes.Remove(known[0]);
            }
        }

        if (!_checkpointVotes.TryGetValue(slot, out var votes))
        {
            _checkpointVotes.Add(slot, votes = new Votes());
        }

        votes.Add(from, vote);
        if (votes.CountOf(vote.Digest) >= _group.Quorum)
        {
            MeetStable(new CheckpointProof(slot, vote.Digest, [.. votes.For(vote.Digest)]));
        }
    }

    /// <summary>
    /// A checkpoint was proven stable. Who is merely slow gets there by itself soon; only a replica that is still behind at its next
    /// status gives up its log and fetches the state.
    /// </summary>
    private void MeetStable(CheckpointProof proof)
    {
        if (proof.Slot <= Stable)
        {
            return;
        }

        if (_executed >= proof.Slot)
        {
            Stabilise(proof);
            Propose();
        }
        else if (_ahead is null || _ahead.Slot < proof.Slot)
        {
            _ahead = proof;
        }
    }

    /// <summary>
    /// Moves the water marks. What is below them can be forgotten: f+1 correct replicas keep the state, durably. Without that state
    /// this replica takes part in agreement above it, and executes nothing until it has fetched it.
    /// </summary>
    private void Stabilise(CheckpointProof proof)
    {
        if (_saved.TryGetValue(proof.Slot, out var own))
        {
            Invariant.Check(own.Root == proof.State, CheckpointsAgree, $"{proof.Slot}: {own.Root} here, {proof.State} certified");
        }

        _stable = proof;
        _out.Persist(new Record.Stable(proof));
        if (_ahead is not null && _ahead.Slot <= Stable)
        {
            _ahead = null;
        }

        Forget();
        if (_executed < Stable)
        {
            BeginFetch();
        }
    }

    private void Forget()
    {
        _entries.RemoveThrough(Stable);
        _checkpointVotes.RemoveThrough(Stable);
        _saved.RemoveThrough(Stable.Previous);
        _assigned = Slot.Max(_assigned, Stable);
        var needed = new SortedSet<Digest>();
        foreach (var entry in _entries.Values)
        {
            needed.UnionWith(entry.Accepted.Keys);
            needed.UnionWith(entry.Claims.Values);
            if (entry.IsDecided)
            {
                needed.Add(entry.Decision);
            }
        }

        foreach (var digest in _batches.Keys.Where(digest => !needed.Contains(digest)).ToImmutableArray())
        {
            _batches.Remove(digest);
        }
    }

    private void On(Message.StableCheckpoint m)
    {
        if (m.Proof.Slot <= Stable)
        {
            _out.Refuse(Refusal.Duplicate);
        }
        else if (!IsProven(m.Proof))
        {
            _out.Refuse(Refusal.Forged);
        }
        else
        {
            MeetStable(m.Proof);
            ArmStatus();
        }
    }

    /// <summary>The whole state: replies first, since exactly-once depends on them as much as on the service.</summary>
    private ReadOnlyMemory<byte> SaveState()
    {
        var writer = new CodecWriter();
        var replies = Mutated(PbftMutation.ForgetReplies) ? [] : _replies;
        writer.Unsigned((ulong)replies.Count);
        foreach (var (client, reply) in replies)
        {
            writer.Node(client);
            writer.Signed(reply.Timestamp);
            writer.Bytes(reply.Result.Span);
        }

        _service.Save(writer);
        return writer.ToArray();
    }

    private void LoadState(ReadOnlyMemory<byte> state)
    {
        var reader = new CodecReader(state);
        _replies.Clear();
        for (var count = reader.Count(); count > 0; count--)
        {
            _replies.Add(reader.Node(), new(reader.Signed(), reader.Bytes()));
        }

        _service.Load(reader.Rest());
        Invariant.Check(!reader.Failed, StateRoundTrips);
        foreach (var (client, reply) in _replies)
        {
            StopWaiting(client, reply.Timestamp);
        }
    }
}
