using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>Executing what is decided, in order and once; replies and reads (pbft.md §3.4 to §3.6, §5).</summary>
public sealed partial class Pbft
{
    private readonly SortedDictionary<NodeId, LastReply> _replies = [];
    private Slot _executed;

    /// <summary>The last request of a client that was executed, and what came of it. Part of the state that replicas agree on.</summary>
    private readonly record struct LastReply(long Timestamp, ReadOnlyMemory<byte> Result);

    private void Decide(Slot slot, Digest digest)
    {
        var entry = EntryOf(slot);
        Invariant.Check(
            !entry.IsDecided || entry.Decision == digest, CommittedStays, $"{slot}: {entry.Decision}, then {digest}");
        (entry.IsDecided, entry.Decision) = (true, digest);
        entry.Claims.Clear();
        ExecuteReady();
    }

    /// <summary>Executes as far as slots are decided without a gap and their batches are at hand.</summary>
    private void ExecuteReady()
    {
        var before = _executed;
        while (_fetch is null && _entries.TryGetValue(_executed.Next, out var entry) && entry.IsDecided
            && BatchOf(entry.Decision) is { } batch)
        {
            _executed = _executed.Next;
            _out.Persist(new Record.Executed(_executed, entry.Decision));
            Execute(batch, tells: true);
            if (_executed.Value % _options.CheckpointPeriod == 0)
            {
                TakeCheckpoint();
            }
        }

        if (_executed > before)
        {
            Calm();
            Propose();
            GuardOldest();
        }
    }

    private void Execute(Batch batch, bool tells)
    {
        foreach (var request in batch.Requests)
        {
            var isNew = !_replies.TryGetValue(request.Client, out var last) || request.Timestamp > last.Timestamp;
            if (isNew || Mutated(PbftMutation.ExecuteTwice))
            {
                var reply = new LastReply(request.Timestamp, _service.Execute(request.Client, request.Operation));
                _replies[request.Client] = reply;
                if (tells)
                {
                    SendReply(request.Client, reply);
                }
            }

            StopWaiting(request.Client, request.Timestamp);
        }

        _out.Execute(_executed, new Command.Apply(batch));
    }

    /// <summary>A request was executed in this view, so its primary works: patience is short again (§4.1).</summary>
    private void Calm()
    {
        if (_isActive)
        {
            _failedViews = 0;
        }

        if (_guarded != 0 && (!_queue.ContainsKey(_guarded) || Mutated(PbftMutation.AnyProgressCalms)))
        {
            _guarded = 0;
            CancelTimer(Timer.Request);
        }
    }

    private void SendReply(NodeId client, LastReply reply) =>
        _out.Send(client, new Message.Reply(_view, reply.Timestamp, IsRead: false, reply.Result));

    /// <summary>
    /// A read is answered from what is executed here; it is up to the client to find 2f+1 replicas that say the same. Nothing is
    /// executed tentatively, so there is nothing to wait for.
    /// </summary>
    private void On(NodeId from, Message.Read m)
    {
        if (from != m.Signed.Client || !IsAuthentic(m.Signed, isRead: true))
        {
            _out.Refuse(Refusal.Forged);
        }
        else if (!_options.ReadsDirectly || _fetch is not null)
        {
            _out.Refuse(Refusal.NotReady);
        }
        else
        {
            var result = _service.Read(from, m.Signed.Operation);
            _out.Send(from, new Message.Reply(_view, m.Signed.Timestamp, IsRead: true, result));
        }
    }

    private void On(NodeId from, Message.FetchBatch m)
    {
        if (m.Digest != Digest.None && _batches.TryGetValue(m.Digest, out var batch))
        {
            _out.Send(from, new Message.BatchFound(batch));
        }
        else
        {
            _out.Refuse(Refusal.Unknown);
        }
    }

    private void On(Message.BatchFound m)
    {
        if (!Missing().Contains(m.Batch.Digest))
        {
            _out.Refuse(Refusal.Unexpected);
            return;
        }

        Know(m.Batch);
        ExecuteReady();
        ArmStatus();
    }

    /// <summary>Digests that were accepted or decided in the window and whose batches are not at hand.</summary>
    private IEnumerable<Digest> Missing()
    {
        foreach (var entry in _entries.Values)
        {
            if (entry.Proposal is { } proposal && BatchOf(proposal.Digest) is null)
            {
                yield return proposal.Digest;
            }

            if (entry.IsDecided && BatchOf(entry.Decision) is null)
            {
                yield return entry.Decision;
            }
        }
    }
}
