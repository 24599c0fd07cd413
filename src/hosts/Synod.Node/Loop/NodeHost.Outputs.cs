using System.Runtime.CompilerServices;
using Synod.Core;
using Synod.Protocols.Gossip;
using GossipTransport = Synod.Protocols.Gossip.Transport;

namespace Synod.Node;

/// <summary>
/// What steps put out. The hold rule: an output leaves only when the records before it are durable. So it goes either with this
/// turn, or with the batch that holds the last of those records.
/// </summary>
public sealed partial class NodeHost<TMessage, TRecord, TCommand, TResult>
{
    private readonly Outbox<TMessage, TRecord, TCommand, TResult> _outbox = new();
    private readonly TurnOutput<TMessage, TResult> _now = new();
    private readonly Queue<PendingBatch<TMessage, TResult>> _pending = new();
    private readonly Stack<PendingBatch<TMessage, TResult>> _spare = new();
    private readonly CodecWriter _scratch = new();
    private PendingBatch<TMessage, TResult> _filling = new();
    private PendingBatch<TMessage, TResult>? _lastHanded;
    private long _durable;
    private long _handed;
    private long _batches;
    private long _unsyncedBytes;

    /// <summary>Takes the outputs of one step out of the outbox.</summary>
    private void Collect()
    {
        foreach (var refusal in _outbox.Refusals)
        {
            _metrics.CountRefusal(refusal);
        }

        foreach (var change in _outbox.Timers)
        {
            _timers.Apply(change);
        }

        foreach (var record in _outbox.Records)
        {
            _filling.Records.Add(_hosted.Records, record);
        }

        CollectMessages();
        foreach (var answer in _outbox.Answers)
        {
            if (_requests.Remove(answer.Request.Value, out var asked))
            {
                With(answer.RecordsBefore).Replies.Add(new(asked.Sink, asked.Tag, answer.Result));
            }
        }

        if (_hosted.Executed is { } executed)
        {
            foreach (var execution in _outbox.Executions)
            {
                executed(execution.Position, execution.Command);
            }
        }

        _outbox.Clear();
    }

    private void CollectMessages()
    {
        TMessage? encoded = default;
        foreach (var sent in _outbox.Messages)
        {
            var output = With(sent.RecordsBefore);
            if (sent.To == _options.Self)
            {
                output.ToSelf.Add(sent.Message);
                continue;
            }

            if (_packets is not null && sent.Message is IGossipMessage gossip)
            {
                output.Parcels.Add(new(sent.To, sent.Message, gossip.Transport == GossipTransport.Stream));
                continue;
            }

            if (_transport is null || sent.To.Value is < 1 or >= NodeSet.Capacity)
            {
                _metrics.CountDropped(DropReason.UnknownPeer);
                continue;
            }

            // A broadcast is the same object many times: encode it once.
            if (typeof(TMessage).IsValueType || !ReferenceEquals(encoded, sent.Message))
            {
                _scratch.Clear();
                _hosted.Messages.Write(_scratch, sent.Message);
                encoded = sent.Message;
            }

            AddToFrame(output, sent.To);
        }
    }

    private void AddToFrame(TurnOutput<TMessage, TResult> output, NodeId to)
    {
        var frame = output.Frame(to.Value);
        if (frame.Length + _scratch.Length + 4 - Frame.HeaderLength > _options.MaxFrameBytes)
        {
            _metrics.CountDropped(DropReason.Oversize);
            _logger.MessageOversize(to, _scratch.Length);
            return;
        }

        output.Add(to.Value, _scratch.Span);
        if (output == _now && frame.Length >= _options.FrameBytes)
        {
            SendFrame(to.Value);
        }
    }

    /// <summary>Where an output belongs that may leave once <paramref name="recordsBefore"/> records are durable.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TurnOutput<TMessage, TResult> With(long recordsBefore) =>
        recordsBefore <= _durable ? _now
        : recordsBefore <= _handed ? _lastHanded!.Held
        : _filling.Held;

    /// <summary>Lets out what waited for records that are durable by now.</summary>
    private void ReleaseDurable()
    {
        var synced = _logThread.Synced;
        while (_pending.TryPeek(out var batch) && batch.Number <= synced)
        {
            _ = _pending.Dequeue();
            _durable = batch.End;
            _unsyncedBytes -= batch.Records.Bytes;
            foreach (var peer in batch.Held.Peers)
            {
                var held = batch.Held.Frame(peer);
                if (_now.Frame(peer).Length + held.Length > _options.FrameBytes)
                {
                    SendFrame(peer);
                }

                _now.Add(peer, held);
            }

            _now.ToSelf.AddRange(batch.Held.ToSelf);
            _now.Replies.AddRange(batch.Held.Replies);
            _now.Parcels.AddRange(batch.Held.Parcels);
            batch.Clear();
            _spare.Push(batch);
        }
    }

    /// <summary>Ends a turn: records to the log thread, and everything that may leave on its way.</summary>
    private void HandOver()
    {
        if (!_filling.Records.IsEmpty)
        {
            HandBatch();
        }

        foreach (var message in _now.ToSelf)
        {
            _loopback.Enqueue(message);
        }

        while (_now.Peers.Length > 0)
        {
            SendFrame(_now.Peers[^1]);
        }

        foreach (var parcel in _now.Parcels)
        {
            SendParcel(parcel);
        }

        foreach (var reply in _now.Replies)
        {
            reply.Sink.Answered(reply.Tag, reply.Result);
        }

        foreach (var reply in _now.Replies)
        {
            reply.Sink.Flush();
        }

        _now.Clear();
    }

    private void HandBatch()
    {
        _filling.End = _handed = _outbox.RecordCount;
        _filling.Number = ++_batches;
        _unsyncedBytes += _filling.Records.Bytes;
        _pending.Enqueue(_filling);
        _lastHanded = _filling;
        _logThread.Hand(_filling);
        _filling = _spare.TryPop(out var spare) ? spare : new();
    }

    private void SendParcel(Parcel<TMessage> parcel)
    {
        _scratch.Clear();
        _hosted.Messages.Write(_scratch, parcel.Message);
        if (parcel.IsStream)
        {
            _packets!.SendStream(parcel.To, _scratch.Span);
        }
        else
        {
            _packets!.Send(parcel.To, _scratch.Span);
        }
    }

    private void SendFrame(int peer)
    {
        var frame = _now.Frame(peer);
        if (frame.IsEmpty)
        {
            return;
        }

        var count = frame.Count;
        var bytes = frame.Seal(_context.TrueTime).Span;
        if (_transport!.Send(new NodeId(peer), bytes))
        {
            _metrics.CountSent(count, bytes.Length);
        }

        _now.Sent(peer);
    }
}
