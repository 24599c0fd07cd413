using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>Recovery from records, and checkpoints that let a host drop old ones.</summary>
public sealed partial class EPaxos
{
    /// <summary>Of the saved state: executed instances above the ones up to which all are, by column.</summary>
    private readonly SortedSet<InstanceId> _savedExecuted = [];

    public override void Checkpoint(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        (_context, _out) = (context, outbox);
        var writer = new CodecWriter();
        _savedExecuted.Clear();
        foreach (var instance in _columns.SelectMany(column => column.Held()))
        {
            if (instance.IsExecuted && instance.Id.Number > _columns[instance.Column].Executed)
            {
                _savedExecuted.Add(instance.Id);
            }
        }

        VisitSaved(new StateWriter(writer));
        _savedExecuted.Clear();
        _out.Persist(new Record.Saved(writer.ToArray()));
        foreach (var instance in _columns.SelectMany(column => column.Held()))
        {
            PersistAgain(instance);
        }
    }

    protected override void OnRecover(
        IEnumerable<Record> records, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        (_context, _out) = (context, outbox);
        List<Record> kept = [.. records];
        if (kept.FindLast(record => record is Record.Saved) is Record.Saved saved)
        {
            var reader = new StateReader(saved.State);
            VisitSaved(reader);
            reader.Complete();
        }

        foreach (var record in kept)
        {
            Recover(record);
        }

        _savedExecuted.Clear();
        foreach (var column in _columns)
        {
            column.Advance();
        }

        _next = Math.Max(_next, _columns[_own].Highest);
        foreach (var instance in _columns.SelectMany(column => column.Held()))
        {
            Try(instance);
            if (!instance.IsCommitted)
            {
                Postpone(instance);
                Resume(instance);
            }
        }

        Beat();
    }

    /// <summary>
    /// The first coordinator goes on where it was, unless another ballot was joined: what it had told before was durable, and
    /// the answers to come are those that were given already.
    /// </summary>
    private void Resume(Instance instance)
    {
        if (instance.Column != _own || instance.Joined != Ballot.None)
        {
            return;
        }

        if (instance.Phase == Phase.PreAccepted)
        {
            LeadFirst(instance);
        }
        else if (instance.Phase == Phase.Accepted)
        {
            instance.Leading = new Leading { Stage = Stage.Accepting, Replied = NodeSet.Of(_self), Deps = instance.Deps };
        }
    }

    private void Recover(Record record)
    {
        switch (record)
        {
            case Record.PreAccepted r when r.Id.Replica == _self && Mutated(EPaxosMutation.NumbersReused):
                break;
            case Record.PreAccepted r when Kept(r.Id) is { } instance:
                Learn(instance, r.Batch);
                instance.InitialDeps = r.InitialDeps;
                if (instance.Phase == Phase.Initial)
                {
                    (instance.Phase, instance.Deps) = (Phase.PreAccepted, r.Deps);
                }

                break;
            case Record.Joined r when Kept(r.Id) is { } instance:
                instance.Joined = r.Ballot > instance.Joined ? r.Ballot : instance.Joined;
                break;
            case Record.Accepted r when Kept(r.Id) is { } instance:
                RecoverAccepted(instance, r);
                break;
            case Record.Validated r when Kept(r.Id) is { } instance:
                Learn(instance, r.Batch);
                instance.InitialDeps = r.InitialDeps;
                break;
            case Record.Committed r when Kept(r.Id) is { } instance:
                RecoverCommitted(instance, r);
                break;
            default:
                Invariant.Check(
                    record is Record.PreAccepted or Record.Joined or Record.Accepted or Record.Validated or Record.Committed or Record.Saved,
                    "EveryRecordIsKnown");
                break;
        }
    }

    /// <summary>The instance of a record, unless it is committed already or its effect is in the saved state for all replicas.</summary>
    private Instance? Kept(InstanceId id)
    {
        var column = _columns[_group.ColumnOf(id.Replica)];
        if (id.Number <= column.Floor)
        {
            return null;
        }

        var instance = column.GetOrAdd(id.Number);
        if (instance.IsCommitted)
        {
            return null;
        }

        instance.IsExecuted = id.Number <= column.Executed || _savedExecuted.Contains(id);
        return instance;
    }

    private void RecoverAccepted(Instance instance, Record.Accepted r)
    {
        if (r.Ballot < instance.Accepted)
        {
            return;
        }

        if (!r.Batch.IsNop)
        {
            Learn(instance, r.Batch);
        }

        (instance.Phase, instance.Accepted, instance.IsNop, instance.Deps) = (Phase.Accepted, r.Ballot, r.Batch.IsNop, r.Deps);
        instance.Joined = r.Ballot > instance.Joined ? r.Ballot : instance.Joined;
    }

    private void RecoverCommitted(Instance instance, Record.Committed r)
    {
        if (!r.Batch.IsNop)
        {
            Learn(instance, r.Batch);
        }

        (instance.Phase, instance.IsNop, instance.Deps) = (Phase.Committed, r.Batch.IsNop, r.Deps);
        for (var column = 0; column < r.Deps.Count; column++)
        {
            _columns[column].Highest = Math.Max(_columns[column].Highest, r.Deps[column]);
        }

        if (r.Batch.IsNop)
        {
            Discard(instance);
        }
    }

    /// <summary>The records that bring an instance back to where it is.</summary>
    private void PersistAgain(Instance instance)
    {
        var id = instance.Id;
        if (instance.IsCommitted)
        {
            _out.Persist(new Record.Committed(id, instance.Value!, instance.Deps!));
            return;
        }

        if (instance.Phase == Phase.PreAccepted)
        {
            _out.Persist(new Record.PreAccepted(id, instance.Payload!, instance.InitialDeps!, instance.Deps!));
        }
        else if (instance.InitialDeps is not null)
        {
            _out.Persist(new Record.Validated(id, instance.Payload!, instance.InitialDeps));
        }

        if (instance.Phase == Phase.Accepted)
        {
            _out.Persist(new Record.Accepted(id, instance.Accepted, instance.Value!, instance.Deps!));
        }

        if (instance.Joined != instance.Accepted)
        {
            _out.Persist(new Record.Joined(id, instance.Joined));
        }
    }

    private void VisitSaved(StateVisitor visitor)
    {
        visitor.Visit("next", ref _next);
        visitor.Visit("executions", ref _executions);
        foreach (var column in _columns)
        {
            var (floor, executed) = (column.Floor, column.Executed);
            visitor.Visit("floor", ref floor);
            visitor.Visit("executed", ref executed);
            if (visitor.IsReading)
            {
                column.Restore(floor, executed);
            }
        }

        List<InstanceId> above = [.. _savedExecuted];
        visitor.Visit("above", above, Visit);
        _savedExecuted.UnionWith(above);
        _index.State(visitor);
        VisitMap(visitor);
    }
}
