using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>What goes on in the background: saying again, recovering what is overdue, catching up, and dropping what everybody has.</summary>
public sealed partial class EPaxos
{
    /// <summary>Recoveries begun in one beat at most.</summary>
    private const int RecoveriesPerBeat = 32;

    /// <summary>After so many beats without all of a quorum's validations one of its members is taken for dead, and another quorum is sought.</summary>
    private const int PatientBeats = 6;

    private Dependencies Executed => Marks(column => column.Executed);

    private Dependencies Marks(Func<Column, long> mark)
    {
        var marks = new long[_columns.Length];
        for (var column = 0; column < marks.Length; column++)
        {
            marks[column] = mark(_columns[column]);
        }

        return Dependencies.Of(marks);
    }

    /// <summary>Keeps the timer going while anything is open here, or some replica is elsewhere.</summary>
    private void Beat()
    {
        if (!_isBeating && (IsOpen() || !IsLevel()))
        {
            _isBeating = true;
            _out.SetTimer(new TimerId((int)Timer.Beat), Now + _options.BeatInterval);
        }
    }

    private bool IsOpen()
    {
        foreach (var column in _columns)
        {
            if (column.Executed < column.Highest)
            {
                return true;
            }
        }

        return false;
    }

    private bool IsLevel()
    {
        for (var member = 0; member < _columns.Length; member++)
        {
            for (var column = 0; member != _own && column < _columns.Length; column++)
            {
                if (_progress[member][column] != _columns[column].Executed)
                {
                    return false;
                }
            }
        }

        return true;
    }

    private void OnBeat()
    {
        _isBeating = false;
        var recoveries = 0;
        foreach (var column in _columns)
        {
            for (var number = column.Committed + 1; number <= column.Highest; number++)
            {
                if (column.At(number) is not { IsCommitted: false } instance)
                {
                    continue;
                }

                if (instance.Leading is { } leading)
                {
                    Repeat(instance, leading);
                }
                else if (instance.Deadline <= Now && recoveries < RecoveriesPerBeat)
                {
                    recoveries++;
                    Recover(instance);
                }
            }

            SeekMissing(column);
        }

        CatchUp();
        TellProgress();
        Beat();
    }

    /// <summary>An instance that others depend on, and of which nothing ever came: it is recovered like any other.</summary>
    private void SeekMissing(Column column)
    {
        var missing = column.Known + 1;
        if (missing > column.Highest || column.At(missing) is not null)
        {
            return;
        }

        if (column.Missing != missing)
        {
            (column.Missing, column.MissingDeadline) = (missing, Now + _context.Jitter(_options.RecoveryTimeout));
        }
        else if (column.MissingDeadline <= Now)
        {
            Recover(column.GetOrAdd(missing));
        }
    }

    /// <summary>Says again, to everybody, what was not answered for a whole beat.</summary>
    private void Repeat(Instance instance, Leading leading)
    {
        if (leading.Beats++ == 0)
        {
            return;
        }

        switch (leading.Stage)
        {
            case Stage.PreAccepting when leading.Replied.Count >= _group.Slow:
                LeadAccept(instance, Ballot.None, instance.Payload!, leading.Deps!);
                break;
            case Stage.PreAccepting:
                Prefer(leading.Replied);
                SendTo(_group.Members.Except(leading.Replied), new Message.PreAccept(instance.Id, instance.Payload!, instance.InitialDeps!));
                break;
            case Stage.Accepting:
                Prefer(leading.Replied);
                SendTo(
                    _group.Members.Except(leading.Replied),
                    new Message.Accept(instance.Id, leading.Ballot, instance.Value!, instance.Deps!));
                break;
            case Stage.Recovering:
                SendTo(_group.Members.Except(leading.Quorum), new Message.Recover(instance.Id, leading.Ballot));
                break;
            case Stage.Validating when leading.Beats > PatientBeats:
                Recover(instance);
                break;
            case Stage.Validating:
                SendTo(
                    leading.Quorum.Except(leading.Replied),
                    new Message.Validate(instance.Id, leading.Ballot, leading.Best.Payload!, leading.Deps!));
                break;
            default:
                SendToOthers(new Message.Waiting(instance.Id, leading.Unchanged));
                SendTo(_group.Members.Except(leading.Quorum), new Message.Recover(instance.Id, leading.Ballot));
                break;
        }
    }

    private void SendTo(NodeSet nodes, Message message) => _out.Send(nodes.Without(_self), message);

    /// <summary>Those that did not answer come last when a quorum is chosen.</summary>
    private void Prefer(NodeSet replied)
    {
        for (var (index, count) = (0, _order.Count); count > 0; count--)
        {
            var node = _order[index];
            if (replied.Contains(node))
            {
                index++;
            }
            else
            {
                _order.RemoveAt(index);
                _order.Add(node);
            }
        }
    }

    private void TellProgress()
    {
        var executed = Executed;
        for (var member = 0; member < _columns.Length; member++)
        {
            if (member != _own && !_progress[member].Equals(executed))
            {
                _out.Send(_group[member], new Message.Progress(executed, Asks: true));
            }
        }
    }

    private void On(NodeId from, Message.Progress m)
    {
        if (!IsVector(m.Executed))
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        // It only grows: a replica that comes back executes the same again before it says anything.
        ref var progress = ref _progress[_group.ColumnOf(from)];
        progress = progress.Union(m.Executed);
        DropExecuted();
        if (m.Asks)
        {
            _out.Send(from, new Message.Progress(Executed, Asks: false));
        }
    }

    /// <summary>What every replica has executed, durably, nobody asks for any more.</summary>
    private void DropExecuted()
    {
        for (var column = 0; column < _columns.Length; column++)
        {
            var floor = _columns[column].Executed;
            for (var member = 0; member < _columns.Length; member++)
            {
                if (member != _own && !Mutated(EPaxosMutation.CollectsTooEarly))
                {
                    floor = Math.Min(floor, _progress[member][column]);
                }
            }

            _columns[column].Drop(floor);
        }
    }

    /// <summary>Asks a replica that is ahead for decisions, if none came since the last beat.</summary>
    private void CatchUp()
    {
        var committed = Marks(column => column.Committed);
        var stands = committed.Equals(_committedAtBeat);
        _committedAtBeat = committed;
        for (var tries = 0; stands && tries < _columns.Length; tries++)
        {
            _fetchTurn = (_fetchTurn + 1) % _columns.Length;
            if (_fetchTurn != _own && !committed.Covers(_progress[_fetchTurn]))
            {
                _out.Send(_group[_fetchTurn], new Message.Fetch(committed));
                return;
            }
        }
    }

    private void On(NodeId from, Message.Fetch m)
    {
        if (!IsVector(m.Committed))
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        var count = 0;
        foreach (var column in _columns)
        {
            for (var number = Math.Max(m.Committed[column.Index], column.Floor) + 1; number <= column.Highest; number++)
            {
                if (column.At(number) is { IsCommitted: true } instance)
                {
                    if (count++ == _options.FetchInstances)
                    {
                        return;
                    }

                    Tell(from, instance);
                }
            }
        }
    }

    private bool IsVector(Dependencies marks)
    {
        if (marks.Count != _group.Count)
        {
            return false;
        }

        for (var column = 0; column < marks.Count; column++)
        {
            if (marks[column] is < 0 or >= 1L << 60)
            {
                return false;
            }
        }

        return true;
    }
}
