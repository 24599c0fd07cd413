using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>The probe of the running period.</summary>
internal sealed class Probe
{
    private NodeId _target;
    private long _sequence;
    private Instant _due;
    private bool _isOpen;
    private readonly List<NodeId> _nacked = [];

    /// <summary>Whether an answer is awaited.</summary>
    public bool IsOpen => _isOpen;

    public NodeId Target => _target;

    public long Sequence => _sequence;

    /// <summary>When the period ends.</summary>
    public Instant Due { get => _due; set => _due = value; }

    /// <summary>Who was asked to ping the target; null before the time-out.</summary>
    public NodeId[]? Helpers { get; set; }

    /// <summary>How many helpers said that they heard nothing.</summary>
    public int Nacks => _nacked.Count;

    public void Open(NodeId target, long sequence)
    {
        (_target, _sequence, _isOpen, Helpers) = (target, sequence, true, null);
        _nacked.Clear();
    }

    public void Close() => _isOpen = false;

    /// <summary>Whether an answer may come from this node: the target, or one that pings it for us.</summary>
    public bool IsAsked(NodeId node) => node == _target || (Helpers is not null && Helpers.Contains(node));

    /// <summary>Counts a helper's Nack once; false if nobody asked, or it said so before.</summary>
    public bool TakeNack(NodeId from)
    {
        if (Helpers is null || !Helpers.Contains(from) || _nacked.Contains(from))
        {
            return false;
        }

        _nacked.Add(from);
        return true;
    }

    public void State(StateVisitor visitor)
    {
        visitor.Visit("target", ref _target);
        visitor.Visit("probe", ref _sequence);
        visitor.Visit("due", ref _due);
        visitor.Visit("open", ref _isOpen);
        var isIndirect = Helpers is not null;
        visitor.Visit("indirect", ref isIndirect);
        List<NodeId> helpers = Helpers is null ? [] : [.. Helpers];
        visitor.Visit("helpers", helpers, static (v, ref helper) => v.Visit("", ref helper));
        visitor.Visit("nacked", _nacked, static (v, ref helper) => v.Visit("", ref helper));
        Helpers = isIndirect ? [.. helpers] : null;
    }
}
