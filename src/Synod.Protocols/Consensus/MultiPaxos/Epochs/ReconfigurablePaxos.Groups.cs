using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>The group of the epoch: stepping its replica, ending it, beginning the next.</summary>
public sealed partial class ReconfigurablePaxos
{
    private void On(NodeId from, Message.OfGroup m)
    {
        if (_configuration is null || (m.Epoch > Epoch && _mutation != EpochMutation.EpochIgnored))
        {
            // Whoever is ahead will tell.
            _out.Refuse(Refusal.NotReady);
        }
        else if (m.Epoch < Epoch && _mutation != EpochMutation.EpochIgnored)
        {
            // Old members hear where it ended, and removed ones disturb nobody: the ballot in it is not of this group.
            _out.Refuse(Refusal.StaleBallot);
            _out.Send(from, new Message.Ended(_configuration));
        }
        else if (_replica is null)
        {
            _out.Refuse(Refusal.NotReady);
        }
        else
        {
            Run(replica => replica.Receive(from, m.Inner, _context, _inner));
        }
    }

    /// <summary>Steps the replica and carries what it put out one floor up.</summary>
    private void Run(Action<MultiPaxos> step)
    {
        if (_replica is not { } replica)
        {
            return;
        }

        var start = _configuration!.Base;
        step(replica);
        Carry(Epoch);
        var executions = _inner.Executions.ToArray();
        _inner.Clear();
        foreach (var (slot, command) in executions)
        {
            // What was chosen above the Stop has no effect, whoever proposed it: the slots there are the next epoch's.
            if (_replica == replica || _mutation == EpochMutation.StopIgnored)
            {
                Execute(new Slot(start.Value + slot.Value), ((MultiPaxos.Command.Propose)command).Value);
            }
        }
    }

    private void Carry(long epoch)
    {
        foreach (var record in _inner.Records)
        {
            _out.Persist(new Record.OfGroup(epoch, record));
        }

        foreach (var (to, message, recordsBefore) in _inner.Messages)
        {
            var wrapped = new Message.OfGroup(epoch, message);
            if (recordsBefore == 0)
            {
                // Early below is early here: the replica's own call site says why.
                _out.SendEarly(to, wrapped);
            }
            else
            {
                _out.Send(to, wrapped);
            }
        }

        foreach (var (timer, due, isSet) in _inner.Timers)
        {
            var id = timer with { Key = epoch };
            if (isSet)
            {
                _out.SetTimer(id, due);
            }
            else
            {
                _out.CancelTimer(id);
            }
        }

        foreach (var refusal in _inner.Refusals)
        {
            _out.Refuse(refusal);
        }

        foreach (var (request, result, recordsBefore) in _inner.Answers)
        {
            if (request.Value == _stopRequest)
            {
                (_isStopping, _stopRequest) = (false, 0);
            }

            var told = new Result.Told(result is MultiPaxos.Result.ReadReady ready
                ? new MultiPaxos.Result.ReadReady(new Slot(ready.Slot.Value + _configuration!.Base.Value))
                : result);
            if (recordsBefore == 0)
            {
                _out.AnswerEarly(request, told);
            }
            else
            {
                _out.Answer(request, told);
            }
        }
    }

    private void Execute(Slot at, ReadOnlyMemory<byte> value)
    {
        if (Values.StopOf(value) is { } next)
        {
            Conclude(at, next);
        }
        else
        {
            _out.Execute(at, new Command.Apply(value[1..]));
        }
    }

    /// <summary>The epoch ended at <paramref name="at"/>, by the agreement of its own group: the next one is this.</summary>
    private void Conclude(Slot at, QuorumSystem quorums)
    {
        var next = new Configuration(Epoch + 1, at, quorums);
        if (!next.IsSound && _mutation != EpochMutation.UnsafeQuorumsAdopted)
        {
            return;
        }

        var led = _replica!.Role == PaxosRole.Leader;
        var request = _isStopping ? _stopRequest : 0;
        _out.Execute(at, new Command.Adopt(next));
        Run(replica => replica.Attest(_context, _inner));
        Close(at);
        _out.Persist(new Record.Adopted(next));
        Open(next);
        if (led)
        {
            // Who led knows most, and nobody has to time out first.
            Run(replica => replica.Submit(default, new MultiPaxos.Command.Campaign(), _context, _inner));
        }

        if (request != 0)
        {
            _out.Answer(new RequestId(request), new Result.Adopted(next));
        }
    }

    private void Close(Slot end)
    {
        if (_replica is { } replica)
        {
            foreach (var kind in Enum.GetValues<MultiPaxosTimer>())
            {
                _out.CancelTimer(new TimerId((int)kind, Epoch));
            }

            _closed.Add(new Closed(_configuration!, end, replica));
            _replica = null;
        }

        (_isStopping, _stopRequest) = (false, 0);
    }

    /// <summary>A configuration is in force here. A member takes part, with what its log already holds of the epoch.</summary>
    private void Open(Configuration configuration)
    {
        (_configuration, _started, _isLoading) = (configuration, NodeSet.Empty, false);
        _out.CancelTimer(new TimerId((int)Timer.Load));
        if (IsMember)
        {
            _started = NodeSet.Of(_self);
            _replica = Make(configuration);
            if (_checkpointing)
            {
                // The flush may have missed it: its part of the checkpoint is everything since now.
                _replica.BeginCheckpoint();
            }

            _logged.Remove(configuration.Epoch, out var records);
            Run(replica => replica.Recover(records ?? [], _context, _inner));
        }

        _out.SetTimer(new TimerId((int)Timer.Announce), _context.Now + _options.HeartbeatInterval);
    }

    private MultiPaxos Make(Configuration configuration)
    {
        var state = new EpochState(_state, configuration.Base);
        return _mutation switch
        {
            EpochMutation.LiveMembersOnly when _closed.Count > 0 => MultiPaxos.WithUnsafeQuorums(
                _self, Majority(configuration.Quorums.Members, _closed[^1].Configuration.Quorums.Members), _options, state),
            EpochMutation.UnsafeQuorumsAdopted => MultiPaxos.WithUnsafeQuorums(_self, configuration.Quorums, _options, state),
            _ => new MultiPaxos(_self, configuration.Quorums, _options, state),
        };

        static SizedQuorums Majority(NodeSet members, NodeSet live) =>
            new(members, members.Intersect(live).Count / 2 + 1, members.Intersect(live).Count / 2 + 1);
    }
}
