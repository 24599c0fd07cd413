using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>Recovery, checkpoints, and every field for clone and fingerprint.</summary>
public sealed partial class ReconfigurablePaxos
{
    // Only while recovery runs: what the log holds of epochs that are not open yet.
    private readonly SortedDictionary<long, List<MultiPaxos.Record>> _logged = [];

    /// <summary>
    /// The state says which epoch it is in, and its log leads on from there, through every Stop. Only where the state is absent the log's
    /// own word counts: an acceptor goes on, a member that never took part first loads the state.
    /// </summary>
    protected override void OnRecover(
        IEnumerable<Record> records, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        (_context, _out) = (context, outbox);
        var newest = _state.Applied >= Slot.None ? _state.Configuration : null;
        var isOfState = newest is not null;
        foreach (var record in records)
        {
            switch (record)
            {
                case Record.OfGroup r:
                    CollectionOf(r.Epoch).Add(r.Inner);
                    break;
                case Record.Adopted r when !isOfState && r.Configuration.Epoch > (newest?.Epoch ?? 0):
                    newest = r.Configuration;
                    break;
                case Record.Adopted:
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(records), record, "Not a record of this protocol.");
            }
        }

        if (newest is null)
        {
            return;
        }

        _configuration = newest;
        if (isOfState || !IsMember || _logged.ContainsKey(newest.Epoch))
        {
            Open(newest);
        }
        else
        {
            Load(NodeId.None);
        }

        _logged.Clear();
    }

    public override void BeginCheckpoint()
    {
        (_checkpointing, _checkpointAt) = (true, _state.Applied);
        _replica?.BeginCheckpoint();
        foreach (var closed in _closed)
        {
            closed.Replica.BeginCheckpoint();
        }
    }

    /// <summary>
    /// An epoch that ended is needed until the flushed state holds all of it: before that, its log must bring the state there.
    /// </summary>
    public override void Checkpoint(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        (_context, _out) = (context, outbox);
        _closed.RemoveAll(closed => closed.End <= _checkpointAt);
        if (_configuration is { } configuration)
        {
            _out.Persist(new Record.Adopted(configuration));
        }

        foreach (var closed in _closed)
        {
            Checkpoint(closed.Configuration.Epoch, closed.Replica);
        }

        if (_replica is not null)
        {
            Checkpoint(Epoch, _replica);
        }

        _checkpointing = false;
    }

    private void Checkpoint(long epoch, MultiPaxos replica)
    {
        replica.Checkpoint(_context, _inner);
        Carry(epoch);
        _inner.Clear();
    }

    private List<MultiPaxos.Record> CollectionOf(long epoch)
    {
        if (!_logged.TryGetValue(epoch, out var records))
        {
            _logged.Add(epoch, records = []);
        }

        return records;
    }

    public override void State(StateVisitor visitor)
    {
        var known = _configuration is not null;
        visitor.Visit("known", ref known);
        if (known)
        {
            var configuration = _configuration!;
            visitor.Visit("configuration", ref configuration, Configurations);
            _configuration = configuration;
        }

        var runs = _replica is not null;
        visitor.Visit("runs", ref runs);
        visitor.Visit("closed", _closed, VisitClosed);
        if (runs)
        {
            _replica ??= Make(_configuration!);
            _replica.State(visitor);
        }

        visitor.Visit("started", ref _started);
        visitor.Visit("stopping", ref _isStopping);
        visitor.Visit("stopRequest", ref _stopRequest);
        visitor.Visit("loading", ref _isLoading);
        visitor.Visit("source", ref _source);
        visitor.Visit("loadAt", ref _loadAt);
        visitor.Visit("loadNext", ref _loadNext);
        visitor.Visit("loadStalls", ref _loadStalls);
        visitor.Visit("checkpointAt", ref _checkpointAt);
        visitor.Visit("checkpointing", ref _checkpointing);
    }

    private void VisitClosed(StateVisitor visitor, ref Closed closed)
    {
        var configuration = closed?.Configuration!;
        visitor.Visit("configuration", ref configuration, Configurations);
        var end = closed?.End ?? Slot.None;
        visitor.Visit("end", ref end);
        closed ??= new Closed(configuration, end, Make(configuration));
        closed.Replica.State(visitor);
    }
}
