using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>
/// About whom there is news, and how often it was sent. What is sent is what the table then says, so newer news about a member takes the
/// place of older news of itself (gossip.md §2.3).
/// </summary>
internal sealed class Broadcasts
{
    /// <summary>What is left of a packet is offered to so many before it is taken for full.</summary>
    private const int MostMisses = 3;

    private readonly SortedDictionary<NodeId, Entry> _entries = [];
    private readonly SortedSet<Entry> _order = [];
    private readonly List<Entry> _taken = [];
    private long _number;

    public int Count => _entries.Count;

    public bool Contains(NodeId member) => _entries.ContainsKey(member);

    /// <summary>There is something new to say about a member.</summary>
    public void Add(NodeId member)
    {
        Remove(member);
        var entry = new Entry { Member = member, Number = ++_number };
        _entries.Add(member, entry);
        _order.Add(entry);
    }

    public void Remove(NodeId member)
    {
        if (_entries.Remove(member, out var entry))
        {
            _order.Remove(entry);
        }
    }

    /// <summary>
    /// Takes what fits, what was sent least first and the newest of equals, counting each as sent once more; what was sent
    /// <paramref name="limit"/> times is done with.
    /// </summary>
    /// <param name="take">Takes the news about a member, or says that it does not fit.</param>
    public void Take(int limit, Func<NodeId, bool> take)
    {
        _taken.Clear();
        var misses = 0;
        foreach (var entry in _order)
        {
            if (take(entry.Member))
            {
                _taken.Add(entry);
            }
            else if (++misses == MostMisses)
            {
                break;
            }
        }

        foreach (var entry in _taken)
        {
            _order.Remove(entry);
            entry.Sent++;
            if (entry.Sent >= limit)
            {
                _entries.Remove(entry.Member);
            }
            else
            {
                _order.Add(entry);
            }
        }
    }

    public void State(StateVisitor visitor)
    {
        visitor.Visit("news", _entries, VisitNode, static (v, ref entry) => (entry ??= new Entry()).State(v));
        visitor.Visit("number", ref _number);
        if (visitor.IsReading)
        {
            _order.Clear();
            _order.UnionWith(_entries.Values);
        }
    }

    private static void VisitNode(StateVisitor visitor, ref NodeId node) => visitor.Visit("", ref node);

    private sealed class Entry : IComparable<Entry>
    {
        private NodeId _member;
        private long _number;
        private int _sent;

        public NodeId Member { get => _member; init => _member = value; }

        public long Number { get => _number; init => _number = value; }

        public int Sent { get => _sent; set => _sent = value; }

        public int CompareTo(Entry? other) => _sent != other!._sent ? _sent.CompareTo(other._sent) : other._number.CompareTo(_number);

        public void State(StateVisitor visitor)
        {
            visitor.Visit("", ref _member);
            visitor.Visit("", ref _number);
            visitor.Visit("", ref _sent);
        }

        public override string ToString() => $"{Member}";
    }
}
