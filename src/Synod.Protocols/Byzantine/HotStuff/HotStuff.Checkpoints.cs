using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// Checkpoints of the committed chain (hotstuff.md §7, committed prefix GC; the protocol is that of Castro and Liskov 2002, §2.3.4). When
/// one is due is a function of the chain, and it is apart from agreement: views, votes, locks and their messages know nothing of it.
/// </summary>
public sealed partial class HotStuff
{
    /// <summary>Checkpoints that are kept above the stable one, one's own and of each other member: nobody fills the memory with what is to come.</summary>
    private const int MaxKept = 4;

    /// <summary>The stable checkpoint: the root of the tree. What was below it is gone, on disk and in memory.</summary>
    private StableCheckpoint _stable = StableCheckpoint.None;

    /// <summary>States that this replica keeps, by height: that of the stable checkpoint first, then its own above it.</summary>
    private readonly SortedDictionary<long, SavedState> _saved = [];

    /// <summary>What members told of heights above the stable one.</summary>
    private readonly SortedDictionary<NodeId, SortedDictionary<long, Message.Checkpoint>> _told = [];

    private readonly record struct SavedState(ChainCheckpoint Checkpoint, StateTree Tree);

    /// <summary>Invariant: the state is durable before its digest is told, for others drop what led to it.</summary>
    private void TakeCheckpoint(Block block, long height, Outbox<Message, Record, Command, Result> outbox)
    {
        var tree = TreeOf(SaveState(block));
        var checkpoint = new ChainCheckpoint(height, block.View, block.Digest, _executed, tree.Root);
        if (_options.Has(HotStuffMutation.CheckpointBeforeDurable))
        {
            foreach (var member in _options.Members.Without(_self))
            {
                outbox.SendEarly(member, Told(checkpoint));
            }
        }

        Keep(checkpoint, tree);
        outbox.Persist(new Record.Saved(checkpoint, tree.State));
        Tell(checkpoint, outbox);
        if (_options.Has(HotStuffMutation.DroppedBeforeStable))
        {
            _tree.Rebase(block, height);
        }
    }

    private void Keep(ChainCheckpoint checkpoint, StateTree tree)
    {
        _saved[checkpoint.Height] = new SavedState(checkpoint, tree);
        if (_saved.Keys.Where(height => height > _stable.Height).ToList() is { Count: > MaxKept } above)
        {
            _saved.Remove(above[0]);
        }
    }

    private Message.Checkpoint Told(ChainCheckpoint checkpoint) => new(checkpoint, _scheme.Sign(_statements.Checkpoint(checkpoint)));

    private void Tell(ChainCheckpoint checkpoint, Outbox<Message, Record, Command, Result> outbox)
    {
        var told = Told(checkpoint);
        outbox.Send(_options.Members.Without(_self), told);
        Count(_self, told, outbox);
    }

    private void On(NodeId from, Message.Checkpoint told, Outbox<Message, Record, Command, Result> outbox)
    {
        var checkpoint = told.Of;
        if (checkpoint.Height <= _stable.Height)
        {
            outbox.Refuse(Refusal.Duplicate);
        }
        else if (checkpoint.Height % _options.CheckpointPeriod != 0)
        {
            outbox.Refuse(Refusal.Malformed);
        }
        else if (!_options.Has(HotStuffMutation.CheckpointsUnchecked)
            && !_scheme.Verify(from, _statements.Checkpoint(checkpoint), told.Signature))
        {
            outbox.Refuse(Refusal.Forged);
        }
        else if (_told.TryGetValue(from, out var heights) && heights.TryGetValue(checkpoint.Height, out var first))
        {
            outbox.Refuse(first.Of == checkpoint ? Refusal.Duplicate : Refusal.Equivocation);
        }
        else
        {
            Count(from, told, outbox);
        }
    }

    private void Count(NodeId from, Message.Checkpoint told, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!_told.TryGetValue(from, out var heights))
        {
            _told.Add(from, heights = []);
        }

        if (heights.Count == MaxKept)
        {
            if (heights.First().Key is var lowest && lowest > told.Of.Height)
            {
                outbox.Refuse(Refusal.Unexpected);
                return;
            }

            heights.Remove(lowest);
        }

        heights.Add(told.Of.Height, told);
        Settle(told.Of.Height, outbox);
    }

    /// <summary>
    /// n - f equal words make a checkpoint stable. Who has not come so far goes on as before, and counts again when it has: until it keeps
    /// the state itself it drops nothing.
    /// </summary>
    private void Settle(long height, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!_saved.TryGetValue(height, out var own))
        {
            return;
        }

        var needed = _options.Has(HotStuffMutation.SmallCheckpointQuorum) ? _options.Faults + 1 : _options.Quorum;
        foreach (var same in _told.Where(item => item.Value.ContainsKey(height)).GroupBy(item => item.Value[height].Of).ToList())
        {
            var votes = same.Select(item => new Endorsement(item.Key, item.Value[height].Signature)).ToList();
            if (votes.Count >= needed)
            {
                Invariant.Check(same.Key == own.Checkpoint, CheckpointsAgree, $"{own.Checkpoint} here, {same.Key} certified");
                var proof = _scheme.Aggregate(_statements.Checkpoint(own.Checkpoint), votes);
                var stable = new StableCheckpoint(own.Checkpoint, proof);
                outbox.Persist(new Record.Stable(stable));
                Stabilise(stable);
                return;
            }
        }
    }

    /// <summary>The state is here and proven: what led to it may be forgotten, for whoever needs it fetches the state instead.</summary>
    private void Stabilise(StableCheckpoint stable)
    {
        var own = _saved[stable.Height];
        Invariant.Check(own.Checkpoint == stable.Checkpoint, CheckpointsAgree, $"{own.Checkpoint} here, {stable} certified");
        _stable = stable;
        _tree.Rebase(_tree.Find(stable.Checkpoint.Block)!, stable.Height);
        _saved.RemoveThrough(stable.Height - 1);
        foreach (var (member, heights) in _told.ToList())
        {
            heights.RemoveThrough(stable.Height);
            if (heights.Count == 0)
            {
                _told.Remove(member);
            }
        }
    }

    private StateTree TreeOf(ReadOnlyMemory<byte> state) => new(state, _options.PageSize, _options.FanOut);

    /// <summary>All that executing what comes after depends on: the block to build on, who was served what, and the service.</summary>
    private ReadOnlyMemory<byte> SaveState(Block block)
    {
        var writer = new CodecWriter();
        Fields.Write(writer, block);
        writer.Unsigned((ulong)(_options.Has(HotStuffMutation.ClientsForgotten) ? 0 : _clients.Count));
        foreach (var (client, served) in _options.Has(HotStuffMutation.ClientsForgotten) ? [] : _clients)
        {
            writer.Node(client);
            writer.Signed(served.Sequence);
            writer.Signed(served.Position.Value);
            writer.Bytes(served.Value.Span);
        }

        _service.Save(writer);
        return writer.ToArray();
    }

    /// <summary>
    /// Puts this replica to a checkpoint that a quorum proved. What it has said, and what it has seen certified, stays as it is: votes,
    /// views given up, proposals, the highest certificate and the lock are about views and not about what was executed.
    /// </summary>
    /// <remarks>
    /// Nothing is weakened by dropping what does not descend from the checkpoint's block b. A certificate of a view above b's is of a
    /// descendant of b (hotstuff.md §8.5), so that a lock above b binds as before, once its block has been fetched; and every block that
    /// can still be voted for descends from b and is justified by b's view or a higher one, as the rules ask for with a lock below b.
    /// </remarks>
    private void Load(ChainCheckpoint checkpoint, ReadOnlyMemory<byte> state, Outbox<Message, Record, Command, Result> outbox)
    {
        var reader = new CodecReader(state);
        var block = Fields.ReadBlock(ref reader);
        _clients.Clear();
        for (var count = reader.Count(); count > 0; count--)
        {
            _clients.Add(reader.Node(), new Served(reader.Signed(), new Slot(reader.Signed()), reader.Bytes()));
        }

        Invariant.Check(!reader.Failed && block.Digest == checkpoint.Block, StateIsWhole, $"{checkpoint}: {block}");
        _service.Load(reader.Rest());
        _executed = checkpoint.Position;
        _tree.Rebase(block, checkpoint.Height);
        if (_options.Has(HotStuffMutation.LockForgottenOnInstall))
        {
            _locked = Genesis.Certificate;
        }

        foreach (var (client, served) in _clients)
        {
            Close(client, served, outbox);
        }
    }
}
