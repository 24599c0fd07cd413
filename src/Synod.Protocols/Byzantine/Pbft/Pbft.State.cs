using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>Every field that outlives a step, visited once for clone, fingerprint and trace.</summary>
public sealed partial class Pbft
{
    private static readonly RecordWire s_records = new();
    private static readonly MessageWire s_messages = new();

    public override void State(StateVisitor visitor)
    {
        visitor.Visit("view", ref _view);
        visitor.Visit("active", ref _isActive);
        visitor.Visit("executed", ref _executed);
        VisitStable(visitor);
        visitor.Visit("entries", _entries, VisitSlot, static (v, ref item) => (item ??= new()).State(v));
        visitor.Visit("batches", _batches, VisitDigest, VisitBatch);
        VisitRequests(visitor);
        VisitCheckpoints(visitor);
        VisitViews(visitor);
        visitor.Visit("statusSet", ref _isStatusSet);
        visitor.Visit("suspectsLag", ref _suspectsLag);
        visitor.Visit("answered", ref _answered);
        visitor.Visit("evidence", _evidence, VisitNode, static (v, ref item) => item = VisitEvidence(v, item));
        var service = visitor.IsReading ? default : Saved();
        visitor.Visit("service", ref service);
        if (visitor.IsReading)
        {
            _service.Load(service);
            (_viewBefore, _executedBefore, _stableBefore) = (_view, _executed, Stable);
        }
    }

    private ReadOnlyMemory<byte> Saved()
    {
        var writer = new CodecWriter();
        _service.Save(writer);
        return writer.Memory;
    }

    private void VisitStable(StateVisitor visitor)
    {
        Record record = new Record.Stable(_stable);
        visitor.Visit("stable", ref record, s_records);
        _stable = ((Record.Stable)record).Proof;
        record = new Record.Stable(_ahead ?? _stable);
        visitor.Visit("ahead", ref record, s_records);
        var ahead = ((Record.Stable)record).Proof;
        _ahead = ahead.Slot > Stable ? ahead : null;
    }

    private void VisitRequests(StateVisitor visitor)
    {
        visitor.Visit("queue", _queue, VisitNumber, static (v, ref request) =>
        {
            Message message = new Message.Request(request);
            v.Visit("", ref message, s_messages);
            request = ((Message.Request)message).Signed;
        });
        visitor.Visit("waiting", _waiting, VisitNode, VisitNumber);
        visitor.Visit("ordered", _ordered, VisitNode, VisitNumber);
        visitor.Visit("arrivals", ref _arrivals);
        visitor.Visit("guarded", ref _guarded);
        visitor.Visit("assigned", ref _assigned);
        visitor.Visit("failed", ref _failedViews);
        visitor.Visit("replies", _replies, VisitNode, static (v, ref reply) =>
        {
            var (timestamp, result) = (reply.Timestamp, reply.Result);
            v.Visit("", ref timestamp);
            v.Visit("", ref result);
            reply = new(timestamp, result);
        });
    }

    private void VisitCheckpoints(StateVisitor visitor)
    {
        visitor.Visit("checkpointVotes", _checkpointVotes, VisitSlot, static (v, ref votes) => (votes ??= new()).State("", v));
        visitor.Visit("saved", _saved, VisitSlot, (v, ref tree) =>
        {
            var state = v.IsReading ? default : tree.State;
            v.Visit("", ref state);
            tree = v.IsReading ? TreeOf(state) : tree;
        });
        _fetch = StateDownload.Visit(visitor, _fetch, TreeOf, _options.PageSize, _options.FanOut);
    }

    private void VisitViews(StateVisitor visitor)
    {
        visitor.Visit("viewChanges", _viewChanges, VisitNode, static (v, ref change) =>
        {
            Message message = change;
            v.Visit("", ref message, s_messages);
            change = (Message.ViewChange)message;
        });
        visitor.Visit("awaits", ref _awaitsNewView);
        var hasNewView = _newView is not null;
        visitor.Visit("newView", ref hasNewView);
        if (hasNewView)
        {
            Message message = _newView!;
            visitor.Visit("", ref message, s_messages);
            _newView = (Message.NewView)message;
        }
    }

    private static Evidence VisitEvidence(StateVisitor visitor, Evidence item)
    {
        var (accused, phase, view, slot, first, firstProof, second, secondProof) =
            visitor.IsReading ? new(default, default, 0, default, default, null!, default, null!) : item;
        visitor.Visit("", ref accused);
        visitor.VisitEnum("", ref phase);
        visitor.Visit("", ref view);
        visitor.Visit("", ref slot);
        visitor.Visit("", ref first, DigestWire.Instance);
        visitor.Visit("", ref firstProof, Authenticators);
        visitor.Visit("", ref second, DigestWire.Instance);
        visitor.Visit("", ref secondProof, Authenticators);
        return new(accused, phase, view, slot, first, firstProof, second, secondProof);
    }

    private static void VisitSlot(StateVisitor visitor, ref Slot slot) => visitor.Visit("", ref slot);

    private static void VisitNode(StateVisitor visitor, ref NodeId node) => visitor.Visit("", ref node);

    private static void VisitNumber(StateVisitor visitor, ref long number) => visitor.Visit("", ref number);

    private static void VisitDigest(StateVisitor visitor, ref Digest digest) => visitor.Visit("", ref digest, DigestWire.Instance);

    private static void VisitBatch(StateVisitor visitor, ref Batch batch)
    {
        Message message = new Message.BatchFound(batch);
        visitor.Visit("", ref message, s_messages);
        batch = ((Message.BatchFound)message).Batch;
    }

    /// <summary>A value or none.</summary>
    private static T? VisitOptional<T>(StateVisitor visitor, string name, T? value, IWire<T> wire)
        where T : class
    {
        var exists = value is not null;
        visitor.Visit(name, ref exists);
        if (exists)
        {
            T present = value!;
            visitor.Visit("", ref present, wire);
            return present;
        }

        return null;
    }
}
