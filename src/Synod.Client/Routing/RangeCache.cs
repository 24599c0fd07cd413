using Google.Protobuf;

namespace Synod.Client.Routing;

/// <summary>A range as last heard of.</summary>
internal sealed record KnownRange(
    ulong Group, ByteString Start, ByteString End, ulong Version, IReadOnlyList<int> Replicas, int Preferred)
{
    public bool Contains(ByteString key) => !ByteOrder.Less(key, Start) && ByteOrder.Below(key, End);

    public bool Overlaps(KnownRange other) => ByteOrder.Below(Start, other.End) && ByteOrder.Below(other.Start, End);
}

/// <summary>
/// What the client remembers of the directory: which group serves which keys, who led it, where nodes are. All of it may be
/// stale; the nodes correct it. Of two overlapping ranges the higher version is the truth.
/// </summary>
internal sealed class RangeCache
{
    private readonly Lock _gate = new();

    // Disjoint, in order of their starts; and the same by group.
    private readonly List<KnownRange> _ranges = [];
    private readonly Dictionary<ulong, KnownRange> _groups = [];
    private readonly SortedList<ulong, int> _leaders = [];
    private readonly SortedList<int, string> _addresses = [];

    /// <summary>The range that serves <paramref name="key"/>, or null if the directory has to be asked.</summary>
    public KnownRange? Find(ByteString key)
    {
        lock (_gate)
        {
            var index = LastStartingAtOrBefore(key);
            return index >= 0 && _ranges[index].Contains(key) ? _ranges[index] : null;
        }
    }

    /// <summary>The range that <paramref name="group"/> serves, or null if unknown.</summary>
    public KnownRange? Find(ulong group)
    {
        lock (_gate)
        {
            return _groups.GetValueOrDefault(group);
        }
    }

    /// <summary>Where to ask, best first: the leader last heard of, the preferred one, the other replicas.</summary>
    public List<string> Candidates(ulong group)
    {
        lock (_gate)
        {
            var candidates = new List<string>();
            if (_leaders.TryGetValue(group, out var leader))
            {
                Append(leader);
            }

            if (_groups.TryGetValue(group, out var range))
            {
                Append(range.Preferred);
                foreach (var replica in range.Replicas)
                {
                    Append(replica);
                }
            }

            return candidates;

            void Append(int node)
            {
                if (_addresses.TryGetValue(node, out var address) && !candidates.Contains(address))
                {
                    candidates.Add(address);
                }
            }
        }
    }

    /// <summary>The address of the leader last heard of, or null.</summary>
    public string? Leader(ulong group)
    {
        lock (_gate)
        {
            return _leaders.TryGetValue(group, out var leader) ? _addresses.GetValueOrDefault(leader) : null;
        }
    }

    /// <summary>Every address heard of.</summary>
    public List<string> Addresses()
    {
        lock (_gate)
        {
            return [.. _addresses.Values];
        }
    }

    /// <summary>Notes who leads <paramref name="group"/>; node 0 forgets it.</summary>
    public void Lead(ulong group, int node, string address)
    {
        lock (_gate)
        {
            if (node == 0)
            {
                _leaders.Remove(group);
                return;
            }

            _leaders[group] = node;
            if (address.Length > 0)
            {
                _addresses[node] = address;
            }
        }
    }

    /// <summary>Notes that the node at <paramref name="address"/> answered as the leader of <paramref name="group"/>.</summary>
    public void Confirm(ulong group, string address)
    {
        lock (_gate)
        {
            if (_leaders.TryGetValue(group, out var leader) && _addresses.GetValueOrDefault(leader) == address)
            {
                return;
            }

            foreach (var (node, known) in _addresses)
            {
                if (known == address)
                {
                    _leaders[group] = node;
                    return;
                }
            }
        }
    }

    public void Merge(Api.Directory directory)
    {
        lock (_gate)
        {
            foreach (var node in directory.Nodes)
            {
                if (node.Address.Length > 0)
                {
                    _addresses[node.Id] = node.Address;
                }
            }

            foreach (var range in directory.Ranges)
            {
                Merge(new KnownRange(
                    range.Group, range.Start, range.End, range.Version, [.. range.Replicas], range.PreferredLeader));
                if (range.Leader != 0)
                {
                    _leaders[range.Group] = range.Leader;
                }
            }
        }
    }

    private void Merge(KnownRange news)
    {
        if (_groups.TryGetValue(news.Group, out var known) && known.Version >= news.Version)
        {
            return;
        }

        var first = LastStartingAtOrBefore(news.Start);
        first += first < 0 || !_ranges[first].Overlaps(news) ? 1 : 0;
        var end = first;
        while (end < _ranges.Count && _ranges[end].Overlaps(news))
        {
            if (_ranges[end++].Version > news.Version)
            {
                return;
            }
        }

        for (var index = first; index < end; index++)
        {
            _groups.Remove(_ranges[index].Group);
        }

        _ranges.RemoveRange(first, end - first);
        if (_groups.ContainsKey(news.Group))
        {
            _ranges.RemoveAll(range => range.Group == news.Group);
        }

        _ranges.Insert(LastStartingAtOrBefore(news.Start) + 1, news);
        _groups[news.Group] = news;
    }

    private int LastStartingAtOrBefore(ByteString key)
    {
        var low = 0;
        var high = _ranges.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (ByteOrder.Less(key, _ranges[middle].Start))
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low - 1;
    }
}
