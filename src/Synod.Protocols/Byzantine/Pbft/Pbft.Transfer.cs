using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// Fetching the state of a stable checkpoint, part by part, each held against the digest that the part above gave it (pbft.md §3;
/// Castro and Liskov 2002, §5.3.2).
/// </summary>
public sealed partial class Pbft
{
    private StateDownload? _fetch;

    private void BeginFetch()
    {
        _fetch = new StateDownload(_stable.State, TreeOf(SaveState()), _options.PageSize, _options.FanOut);
        Ask();
    }

    /// <summary>Asks the next of those who signed the checkpoint for every part that is known to be missing.</summary>
    private void Ask()
    {
        _fetch!.Turn([.. _stable.Endorsements.Select(endorsement => endorsement.Signer).Where(signer => signer != _self)]);
        Ask(_fetch.Wanted);
    }

    private void Ask(IEnumerable<(int Level, int Index)> parts)
    {
        foreach (var (level, index) in parts)
        {
            _out.Send(_fetch!.Source, new Message.FetchState(Stable, level, index));
        }
    }

    private void On(NodeId from, Message.FetchState m)
    {
        if (_saved.TryGetValue(m.Slot, out var tree) && tree.Part(m.Level, m.Index) is { } part)
        {
            _out.Send(from, new Message.StateChunk(m.Slot, m.Level, m.Index, part));
        }
        else if (Stable > m.Slot)
        {
            _out.Send(from, new Message.StableCheckpoint(_stable));
        }
        else
        {
            _out.Refuse(Refusal.Unknown);
        }
    }

    private void On(NodeId from, Message.StateChunk m)
    {
        if (_fetch is null || m.Slot != Stable)
        {
            _out.Refuse(Refusal.Unexpected);
            return;
        }

        List<(int Level, int Index)> missing = [];
        var refusal = _fetch.Take(m.Level, m.Index, m.Content, Mutated(PbftMutation.BelieveChunks), missing);
        if (refusal is { } flaw)
        {
            _out.Refuse(flaw);
        }

        if (refusal == Refusal.Forged && from == _fetch.Source)
        {
            Ask();
        }
        else
        {
            Ask(missing);
        }

        if (_fetch.IsComplete)
        {
            EndFetch();
        }
    }

    private void EndFetch()
    {
        var tree = TreeOf(_fetch!.State);
        if (tree.Root != _stable.State && !Mutated(PbftMutation.BelieveChunks))
        {
            _out.Refuse(Refusal.Malformed);
            BeginFetch();
            return;
        }

        _fetch = null;
        LoadState(tree.State);
        _executed = Stable;
        _saved[Stable] = tree;
        _out.Persist(new Record.Saved(Stable, tree.State));
        ExecuteReady();
        Propose();
        GuardOldest();
        ArmStatus();
    }

    private StateTree TreeOf(ReadOnlyMemory<byte> state) => new(state, _options.PageSize, _options.FanOut);
}
