using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// Fetching the state of a stable checkpoint (hotstuff.md §7): who asks for blocks that others have dropped is shown a proof, and then
/// asks those who signed it for the state, part by part.
/// </summary>
public sealed partial class HotStuff
{
    private StableCheckpoint _target = StableCheckpoint.None;
    private StateDownload? _download;

    private void On(NodeId from, Message.Stable shown, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var (stable, checkpoint) = (shown.Proven, shown.Proven.Checkpoint);
        if (stable.Height <= _tree.Height || (_download is not null && stable.Height <= _target.Height))
        {
            outbox.Refuse(Refusal.Duplicate);
        }
        else if (_missing == Digest.None && _download is null)
        {
            outbox.Refuse(Refusal.Unexpected);
        }
        else if (!_options.Has(HotStuffMutation.CheckpointsUnchecked) && !_scheme.Verify(_statements.Checkpoint(checkpoint), stable.Proof))
        {
            outbox.Refuse(Refusal.Forged);
        }
        else if (_tree.Find(checkpoint.Block) is { } tip)
        {
            // f + 1 correct members have executed this block: that it is committed needs no other proof.
            Commit(tip, outbox);
            if (_stable.Height < stable.Height)
            {
                outbox.Persist(new Record.Stable(stable));
                Stabilise(stable);
            }

            Connect(from, context, outbox);
        }
        else
        {
            // Who did not bring the state before another one took its place is too slow.
            _slow = _download is null ? _slow : _slow.With(_source);
            _target = stable;
            (_since, _gained) = (_view, 0);
            _download = new StateDownload(checkpoint.State, TreeOf(SaveState(_tree.Committed)), _options.PageSize, _options.FanOut);
            Turn(_slow.Contains(from) ? Next(stable.Proof) : from, outbox);
        }
    }

    private void Ask(IEnumerable<(int Level, int Index)> parts, Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (var (level, index) in parts)
        {
            outbox.Send(_download!.Source, new Message.FetchState(_target.Height, level, index));
        }
    }

    /// <summary>Asks another one of those who signed for everything that is still missing.</summary>
    private void AskAnother(Outbox<Message, Record, Command, Result> outbox)
    {
        _slow = _slow.With(_source);
        Turn(Next(_target.Proof), outbox);
    }

    private void Turn(NodeId source, Outbox<Message, Record, Command, Result> outbox)
    {
        _source = source;
        _download!.Turn([source]);
        Ask(_download.Wanted, outbox);
    }

    private void On(NodeId from, Message.FetchState fetch, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_saved.TryGetValue(fetch.Height, out var saved) && saved.Tree.Part(fetch.Level, fetch.Index) is { } part)
        {
            outbox.Send(from, new Message.StatePart(fetch.Height, fetch.Level, fetch.Index, part));
        }
        else if (_stable.Height > fetch.Height)
        {
            outbox.Send(from, new Message.Stable(_stable));
        }
        else
        {
            outbox.Refuse(Refusal.Unknown);
        }
    }

    private void On(NodeId from, Message.StatePart part, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_download is null || part.Height != _target.Height)
        {
            outbox.Refuse(Refusal.Unexpected);
            return;
        }

        List<(int Level, int Index)> missing = [];
        var refusal = _download.Take(part.Level, part.Index, part.Content, _options.Has(HotStuffMutation.PartsUnchecked), missing);
        if (refusal is { } flaw)
        {
            outbox.Refuse(flaw);
        }

        if (refusal == Refusal.Malformed)
        {
            _download = null;
            return;
        }

        if (refusal == Refusal.Forged && from == _download.Source)
        {
            AskAnother(outbox);
            return;
        }

        _gained += refusal is null ? 1 : 0;
        Ask(missing, outbox);
        if (_download.IsComplete)
        {
            Install(from, context, outbox);
        }
    }

    /// <summary>Goes on from the state that was fetched, with the blocks above it. Proof and state are one record: neither is of use alone.</summary>
    private void Install(NodeId from, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var tree = TreeOf(_download!.State);
        _download = null;
        Invariant.Check(tree.Root == _target.Checkpoint.State, StateIsWhole, $"{_target}: {tree.Root}");
        outbox.Persist(new Record.Based(_target, tree.State));
        Load(_target.Checkpoint, tree.State, outbox);
        Keep(_target.Checkpoint, tree);
        Stabilise(_target);
        Connect(from, context, outbox);
    }
}
