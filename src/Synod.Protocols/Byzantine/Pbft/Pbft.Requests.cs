using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>Requests that wait, who hears of them, and how long a primary may let them wait (pbft.md §3.1, §3.2, §4.1).</summary>
public sealed partial class Pbft
{
    /// <summary>A view that fails doubles the patience at most so often.</summary>
    private const int MaxDoublings = 6;

    // Requests in the order in which they came, one for each client: its newest.
    private readonly SortedDictionary<long, SignedRequest> _queue = [];
    private readonly SortedDictionary<NodeId, long> _waiting = [];
    private long _arrivals;

    // What the timer is for: 0 if it is not set.
    private long _guarded;

    // The primary: the last slot it assigned, and the newest request of each client that has one.
    private Slot _assigned;
    private readonly SortedDictionary<NodeId, long> _ordered = [];

    /// <summary>Views that failed in a row, for the doubling of patience.</summary>
    private int _failedViews;

    private Duration Patience => _options.RequestTimeout * (1L << Math.Clamp(_failedViews - 1, 0, MaxDoublings));

    private void On(NodeId from, Message.Request m)
    {
        if (!IsAuthentic(m.Signed, isRead: false))
        {
            _out.Refuse(Refusal.Forged);
            return;
        }

        Take(from, m.Signed);
    }

    private void Take(NodeId from, SignedRequest request)
    {
        if (_replies.TryGetValue(request.Client, out var last) && request.Timestamp == last.Timestamp)
        {
            SendReply(request.Client, last);
            return;
        }

        if (!Wait(request) && from != request.Client)
        {
            _out.Refuse(Refusal.Duplicate);
            return;
        }

        if (IsPrimary)
        {
            Propose();
        }
        else if (_isActive && from == request.Client && _waiting.ContainsKey(from))
        {
            _out.Send(Primary, new Message.Request(_queue[_waiting[from]]));
        }

        GuardOldest();
        ArmStatus();
    }

    /// <summary>
    /// Notes a valid request until it is executed. A client has one at a time: a newer one takes the place of an older one. False if
    /// it is nothing new.
    /// </summary>
    private bool Wait(SignedRequest request)
    {
        var isDone = _replies.TryGetValue(request.Client, out var last) && request.Timestamp <= last.Timestamp;
        var isKnown = _waiting.TryGetValue(request.Client, out var arrival) && _queue[arrival].Timestamp >= request.Timestamp;
        if (isDone || isKnown)
        {
            return false;
        }

        _queue.Remove(arrival);
        _waiting[request.Client] = ++_arrivals;
        _queue.Add(_arrivals, request);
        return true;
    }

    private bool IsWaiting(SignedRequest request) =>
        _waiting.TryGetValue(request.Client, out var arrival) && _queue[arrival].Equals(request);

    private void StopWaiting(NodeId client, long timestamp)
    {
        if (_waiting.TryGetValue(client, out var arrival) && _queue[arrival].Timestamp <= timestamp)
        {
            _waiting.Remove(client);
            _queue.Remove(arrival);
        }

        if (_ordered.TryGetValue(client, out var ordered) && ordered <= timestamp)
        {
            _ordered.Remove(client);
        }
    }

    /// <summary>
    /// Gives slots to what waits, up to the pipeline's depth and the window's end; what comes meanwhile goes into the next batch.
    /// </summary>
    private void Propose()
    {
        while (IsPrimary && _assigned < Limit && _assigned.Value - _executed.Value < _options.Pipeline)
        {
            var requests = ImmutableArray.CreateBuilder<SignedRequest>();
            foreach (var request in _queue.Values)
            {
                if (requests.Count < _options.MaxBatch && _ordered.GetValueOrDefault(request.Client) < request.Timestamp)
                {
                    requests.Add(request);
                }
            }

            if (requests.Count == 0)
            {
                return;
            }

            var (slot, batch) = (_assigned.Next, new Batch(requests.ToImmutable()));
            var proof = Authenticate(Phase.PrePrepare, _view, slot, batch.Digest);
            Accept(slot, batch, proof);
            _out.Send(_others, new Message.PrePrepare(_view, slot, batch.Digest, batch, proof));
        }
    }

    /// <summary>
    /// Patience is with the oldest request, whatever else is executed meanwhile: a primary cannot starve one client by serving the
    /// others. A primary loses patience too: if its backups went on to another view, nobody else may be left to follow them.
    /// </summary>
    private void GuardOldest()
    {
        if (!_isActive || _queue.Count == 0)
        {
            if (_guarded != 0)
            {
                _guarded = 0;
                CancelTimer(Timer.Request);
            }

            return;
        }

        var (oldest, _) = _queue.First();
        if (oldest != _guarded)
        {
            _guarded = oldest;
            SetTimer(Timer.Request, Now + Patience);
        }
    }

    private void OnRequestTimer()
    {
        _guarded = 0;
        if (_isActive)
        {
            ChangeView(_view + 1);
        }
    }
}
