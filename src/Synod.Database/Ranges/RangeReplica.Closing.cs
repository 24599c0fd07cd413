using Synod.Core;
using Synod.Database.Directory;

namespace Synod.Database.Ranges;

/// <summary>
/// Splits and transfers of leadership. Both begin by closing: nothing new starts, what is in flight is waited for, so that neither
/// locks nor prepared transactions have to move.
/// </summary>
internal sealed partial class RangeReplica
{
    private static readonly Duration ClosingLimit = Duration.FromSeconds(5);

    private Closing? _closing;
    private bool _succeeds;

    /// <summary>Whether a split or transfer is under way.</summary>
    public bool IsClosing => _closing is not null;

    /// <summary>Whether it is under way so far that no timestamp above the leader's floor may be used any more.</summary>
    public bool HandsOver => _closing is { IsBegun: true };

    /// <summary>Whether another group is to take over some of the keys, for which this leader has to hold its lease.</summary>
    private bool NeedsSuccessor => _succeeds || _closing is { Child: not null };

    /// <summary>The node to hand leadership to, when everything that this leader gave out has passed; asked for once.</summary>
    public NodeId? TakeTransfer()
    {
        if (_closing is not { To: { } to, IsBegun: false } closing
            || Leader is not { IsDrained: true } leader
            || !_step.Context.TrueTime.After(leader.Floor))
        {
            return null;
        }

        closing.IsBegun = true;
        return to;
    }

    /// <summary>Hands leadership over, without a client waiting for it.</summary>
    public void BeginTransfer(NodeId to)
    {
        if (Leader is { } leader && _closing is null)
        {
            Close(leader, new Closing(null, null, to, _step.Context.Now), "Leadership of the range moves.");
        }
    }

    /// <summary>
    /// Hands the span to a group of the same nodes in which <paramref name="node"/> is a new incarnation (paxos.md §7, §8): it lost its
    /// disk, so it cannot vote here again, and may vote there, where it never promised anything.
    /// </summary>
    public void BeginSuccession(NodeId node, ulong incarnation)
    {
        // A leader in name alone asks for its lease first; it is called again while the member is missing.
        _succeeds = Leader is null;
        if (Leader is { } leader && _closing is null)
        {
            var child = State.Descriptor with
            {
                Group = _drawGroup(),
                Version = State.Descriptor.Version + 1,
                Incarnations = State.Descriptor.Incarnations.SetItem(node, incarnation),
            };
            Close(leader, new Closing(null, child, null, _step.Context.Now), "The range's members change.");
        }
    }

    public void OnTransferAnswer(bool given)
    {
        if (!given)
        {
            EndClosing("The successor did not catch up in time.");
        }
    }

    private void BeginTransfer(RangeLeader leader, RequestId request, NodeId to)
    {
        if (!State.Descriptor.Replicas.Contains(to))
        {
            _step.Answer(request, Responses.Refused($"Node {to.Value} holds no replica of the range: its replicas are {State.Descriptor.Replicas}."));
        }
        else if (to == _options.Self)
        {
            _step.Answer(request, Responses.Done());
        }
        else if (_closing is not null)
        {
            _step.Answer(request, Responses.Unavailable("A split or transfer of the range is under way."));
        }
        else
        {
            Close(leader, new Closing(request, null, to, _step.Context.Now), "Leadership of the range moves.");
        }
    }

    private void BeginSplit(RangeLeader leader, RequestId request, Api.Split split)
    {
        var at = new Key(split.At.Memory);
        var preferred = new NodeId(split.PreferredLeader);
        if (at == State.Descriptor.Span.Start)
        {
            // It is the start of a range already: somebody was faster, or asks again.
            _step.Answer(request, Responses.Done());
        }
        else if (preferred != NodeId.None && !State.Descriptor.Replicas.Contains(preferred))
        {
            _step.Answer(request, Responses.Refused($"Node {preferred.Value} holds no replica of the range: its replicas are {State.Descriptor.Replicas}."));
        }
        else if (_closing is not null)
        {
            _step.Answer(request, Responses.Unavailable("A split or transfer of the range is under way."));
        }
        else
        {
            var child = State.Descriptor with
            {
                Group = _drawGroup(),
                Span = State.Descriptor.Span with { Start = at },
                Version = State.Descriptor.Version + 1,
                PreferredLeader = preferred == NodeId.None ? NextPreferred() : preferred,
            };
            Close(leader, new Closing(request, child, null, _step.Context.Now), "The range is being split.");
        }
    }

    private void Close(RangeLeader leader, Closing closing, string reason)
    {
        _closing = closing;
        leader.Close(reason);
    }

    private void ContinueClosing(RangeLeader leader)
    {
        if (_closing is not { } closing)
        {
            return;
        }

        if (closing is { Child: { } child, IsBegun: false } && leader.IsDrained)
        {
            closing.IsBegun = true;
            var parent = child.Span == State.Descriptor.Span
                ? State.Descriptor with { IsRetired = true, Version = child.Version }
                : State.Descriptor with { Span = State.Descriptor.Span with { End = child.Span.Start }, Version = child.Version };
            Propose(new RangeCommand.Split(parent, child, leader.Floor));
        }
        else if (!closing.IsBegun && _step.Context.Now - closing.Started > ClosingLimit)
        {
            EndClosing("Transactions in flight did not end in time.");
        }
    }

    private void OnSplit(RangeCommand.Split split)
    {
        if (_closing is { Child: not null } closing)
        {
            if (closing.Request is { } request)
            {
                var both = new Api.Directory { Ranges = { Describe(split.Parent), RangeDirectory.Describe(split.Child, NodeId.None) } };
                _step.Answer(request, new Api.Response { Directory = both });
            }

            _closing = null;
            Leader?.Reopen();
        }
    }

    private void EndClosing(string reason)
    {
        if (_closing is { } closing)
        {
            _closing = null;
            if (closing.Request is { } request)
            {
                _step.Answer(request, closing.To is not null && Paxos.Role != Protocols.Consensus.PaxosRole.Leader
                    ? Responses.Done()
                    : Responses.Unavailable(reason));
            }

            Leader?.Reopen();
        }
    }

    /// <summary>The next replica after the one preferred here, so that the leaders of many splits spread.</summary>
    private NodeId NextPreferred()
    {
        var replicas = State.Descriptor.Replicas.ToArray();
        var index = Array.IndexOf(replicas, State.Descriptor.PreferredLeader);
        return replicas[(index + 1) % replicas.Length];
    }

    private sealed class Closing(RequestId? request, RangeDescriptor? child, NodeId? to, Instant started)
    {
        public RequestId? Request => request;

        public RangeDescriptor? Child => child;

        public NodeId? To => to;

        public Instant Started => started;

        public bool IsBegun { get; set; }
    }
}
