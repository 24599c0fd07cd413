using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>Every field that outlives a step.</summary>
public sealed partial class HotStuff
{
    private static readonly MessageWire Messages = new();
    private static readonly CertificateWire CertificatesOf = new();
    private static readonly TimeoutWire Timeouts = new();
    private static readonly ShareWire Shares = new();
    private static readonly StableWire Stables = new();

    public override void State(StateVisitor visitor)
    {
        visitor.Visit("view", ref _view);
        visitor.Visit("after-timeout", ref _isAfterTimeout);
        visitor.Visit("voted", ref _votedView);
        visitor.VisitEnum(".", ref _votedPhase);
        visitor.Visit("timed-out", ref _timedOut);
        visitor.Visit("proposed", ref _proposed);
        visitor.Visit("high", ref _high, CertificatesOf);
        visitor.Visit("locked", ref _locked, CertificatesOf);
        visitor.Visit("decision", ref _decision, CertificatesOf);
        visitor.Visit("timeout", ref _timeout, Timeouts);
        _tree.State(visitor);
        visitor.Visit("executed", ref _executed);
        visitor.Visit("clients", _clients, VisitNode, VisitServed);
        _mempool.State(visitor);
        visitor.Visit("waiting", _waiting, VisitNode, static (v, ref waiting) => v.Visit("", waiting ??= [], VisitWaiting));
        VisitCollected(visitor);
        visitor.Visit("missing", ref _missing, DigestWire.Instance);
        visitor.Visit("source", ref _source);
        visitor.Visit("slow", ref _slow);
        visitor.Visit("since", ref _since);
        visitor.Visit("gained", ref _gained);
        visitor.Visit("fetched", _fetched, static (v, ref block) => v.Visit("", ref block, BlockWire.Instance));
        visitor.Visit("parked", _parked, VisitMessage);
        VisitCheckpoints(visitor);
        var service = visitor.IsReading ? default : SavedService();
        visitor.Visit("service", ref service);
        if (visitor.IsReading)
        {
            _service.Load(service);
            (_highBefore, _lockedBefore) = (_high.View, _locked.View);
        }
    }

    private ReadOnlyMemory<byte> SavedService()
    {
        var writer = new CodecWriter();
        _service.Save(writer);
        return writer.Memory;
    }

    private void VisitCheckpoints(StateVisitor visitor)
    {
        visitor.Visit("stable", ref _stable, Stables);
        visitor.Visit("saved", _saved, VisitHeight, (v, ref saved) =>
        {
            var (checkpoint, state) = v.IsReading ? (StableCheckpoint.None, default) : (new StableCheckpoint(saved.Checkpoint, default), saved.Tree.State);
            v.Visit("", ref checkpoint, Stables);
            v.Visit("", ref state);
            saved = v.IsReading ? new SavedState(checkpoint.Checkpoint, TreeOf(state)) : saved;
        });
        visitor.Visit("told", _told, VisitNode, static (v, ref heights) => v.Visit("", heights ??= [], VisitHeight, VisitMessage));
        visitor.Visit("target", ref _target, Stables);
        _download = StateDownload.Visit(visitor, _download, TreeOf, _options.PageSize, _options.FanOut);
    }

    private void VisitCollected(StateVisitor visitor)
    {
        visitor.Visit("armed", ref _isArmed);
        visitor.Visit("delay-over", ref _isDelayOver);
        visitor.Visit("owes", ref _owes);
        visitor.Visit("failures", ref _failures);
        visitor.Visit("attempts", ref _attempts);
        visitor.Visit("reports", ref _reports);
        visitor.Visit("late", ref _late);
        foreach (var votes in _votes)
        {
            visitor.Visit("votes", votes, VisitNode, VisitMessage);
        }

        visitor.Visit("shares", _shares, VisitNode, static (v, ref share) => v.Visit("", ref share, Shares));
    }

    private static void VisitNode(StateVisitor visitor, ref NodeId node) => visitor.Visit("", ref node);

    private static void VisitHeight(StateVisitor visitor, ref long height) => visitor.Visit("", ref height);

    private static void VisitMessage<T>(StateVisitor visitor, ref T message)
        where T : Message
    {
        Message any = message;
        visitor.Visit("", ref any, Messages);
        message = (T)any;
    }

    private static void VisitServed(StateVisitor visitor, ref Served served)
    {
        var (sequence, position, value) = served;
        visitor.Visit("", ref sequence);
        visitor.Visit("", ref position);
        visitor.Visit("", ref value);
        served = new Served(sequence, position, value);
    }

    private static void VisitWaiting(StateVisitor visitor, ref Waiting waiting)
    {
        var (sequence, request) = waiting;
        visitor.Visit("", ref sequence);
        visitor.Visit("", ref request);
        waiting = new Waiting(sequence, request);
    }

    private sealed class CertificateWire : IWire<QuorumCertificate>
    {
        public void Write(CodecWriter writer, QuorumCertificate value) => Fields.Write(writer, value);

        public QuorumCertificate Read(ref CodecReader reader) => Fields.ReadCertificate(ref reader);
    }

    private sealed class TimeoutWire : IWire<TimeoutCertificate>
    {
        public void Write(CodecWriter writer, TimeoutCertificate value) => Fields.Write(writer, value);

        public TimeoutCertificate Read(ref CodecReader reader) => Fields.ReadTimeout(ref reader);
    }

    private sealed class StableWire : IWire<StableCheckpoint>
    {
        public void Write(CodecWriter writer, StableCheckpoint value) => Fields.Write(writer, value);

        public StableCheckpoint Read(ref CodecReader reader) => Fields.ReadStable(ref reader);
    }

    private sealed class ShareWire : IWire<TimeoutShare>
    {
        public void Write(CodecWriter writer, TimeoutShare value)
        {
            writer.Node(value.Signer);
            writer.Signed(value.HighView);
            value.Signature.Write(writer);
        }

        public TimeoutShare Read(ref CodecReader reader) => Fields.ReadShare(ref reader);
    }
}
