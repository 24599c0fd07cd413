using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>
/// A node's view: one row a member, at a place that is dense and stays the same while the member is known. The first rows are the
/// roster's.
/// </summary>
internal sealed class MemberTable
{
    private readonly Roster _roster;
    private MemberPages<long> _keys;
    private MemberPages<MemberDescription?> _descriptions;

    // Members that the roster does not name, their places, and the places that became free.
    private readonly Dictionary<int, int> _places = [];
    private readonly List<NodeId> _ids = [];
    private readonly List<int> _free = [];

    // Members whose description is older than their incarnation: a suspicion overtook what it is about.
    private readonly SortedDictionary<NodeId, long> _described = [];

    public MemberTable(Roster roster)
    {
        _roster = roster;
        _keys = new(roster.Keys);
        _descriptions = new(roster.Descriptions);
        (Live, Known, Digest) = (roster.Count, roster.Count, roster.Digest);
    }

    /// <summary>Places, free ones included.</summary>
    public int Places => _keys.Count;

    /// <summary>Members that are alive or suspected.</summary>
    public int Live { get; private set; }

    /// <summary>Members, dead ones included.</summary>
    public int Known { get; private set; }

    /// <summary>The sum over live members of <see cref="MemberKey.Digest"/>.</summary>
    public ulong Digest { get; private set; }

    /// <summary>The place of a member, or -1.</summary>
    public int Find(NodeId id)
    {
        var place = _roster.IndexOf(id);
        if (place < 0 && !_places.TryGetValue(id.Value, out place))
        {
            return -1;
        }

        return _keys[place] == MemberKey.Absent ? -1 : place;
    }

    public NodeId IdAt(int place) => place < _roster.Count ? _roster[place] : _ids[place - _roster.Count];

    public long KeyAt(int place) => _keys[place];

    public bool IsLive(int place) => MemberKey.IsLive(_keys[place]);

    public MemberDescription DescriptionAt(int place) => _descriptions[place]!;

    /// <summary>The incarnation under which the description was announced.</summary>
    public long DescribedAt(int place) => _described.TryGetValue(IdAt(place), out var described)
        ? described
        : MemberKey.Incarnation(_keys[place]);

    public Member MemberAt(int place) => new(
        IdAt(place), MemberKey.Status(_keys[place]), MemberKey.Incarnation(_keys[place]), DescriptionAt(place));

    /// <summary>Adds a member that is not known.</summary>
    public int Add(NodeId id, long key, MemberDescription description, long described)
    {
        var place = PlaceFor(id);
        Known++;
        Write(place, key, description);
        NoteDescribed(place, described);
        return place;
    }

    /// <summary>Puts a later key in the place of an earlier one.</summary>
    public void Raise(int place, long key)
    {
        var described = DescribedAt(place);
        Write(place, key, _descriptions[place]);
        NoteDescribed(place, described);
    }

    public void Describe(int place, MemberDescription description, long described)
    {
        Write(place, _keys[place], description);
        NoteDescribed(place, described);
    }

    /// <summary>Forgets a member.</summary>
    public void Remove(int place)
    {
        var id = IdAt(place);
        Write(place, MemberKey.Absent, null);
        _described.Remove(id);
        Known--;
        if (place >= _roster.Count)
        {
            _places.Remove(id.Value);
            _free.Add(place);
        }
    }

    public void State(StateVisitor visitor)
    {
        List<Row> rows = visitor.IsReading ? [] : [.. Enumerable.Range(0, Places).Select(place => new Row
        {
            Id = IdAt(place).Value,
            Key = _keys[place],
            Description = _descriptions[place],
            Described = _keys[place] == MemberKey.Absent ? 0 : DescribedAt(place),
        })];
        visitor.Visit("members", rows, static (v, ref row) => (row ??= new Row()).State(v));
        visitor.Visit("free", _free, static (v, ref place) => v.Visit("", ref place));
        if (visitor.IsReading)
        {
            Load(rows);
        }
    }

    private void Load(List<Row> rows)
    {
        (_keys, _descriptions) = (new(_roster.Keys), new(_roster.Descriptions));
        (Live, Known, Digest) = (_roster.Count, _roster.Count, _roster.Digest);
        _places.Clear();
        _ids.Clear();
        _described.Clear();
        for (var place = 0; place < rows.Count; place++)
        {
            var (row, id) = (rows[place], new NodeId(rows[place].Id));
            var held = MemberKey.Absent;
            if (place < _roster.Count)
            {
                held = _keys[place];
            }
            else
            {
                _keys.Add(MemberKey.Absent);
                _descriptions.Add(null);
                _ids.Add(id);
                if (row.Key != MemberKey.Absent)
                {
                    _places.Add(row.Id, place);
                }
            }

            Known += (row.Key == MemberKey.Absent ? 0 : 1) - (held == MemberKey.Absent ? 0 : 1);
            Write(place, row.Key, row.Description);
            if (row.Key != MemberKey.Absent)
            {
                NoteDescribed(place, row.Described);
            }
        }
    }

    private int PlaceFor(NodeId id)
    {
        var place = _roster.IndexOf(id);
        if (place >= 0)
        {
            return place;
        }

        if (_free.Count > 0)
        {
            place = _free[^1];
            _free.RemoveAt(_free.Count - 1);
            _ids[place - _roster.Count] = id;
        }
        else
        {
            place = _keys.Count;
            _keys.Add(MemberKey.Absent);
            _descriptions.Add(null);
            _ids.Add(id);
        }

        _places.Add(id.Value, place);
        return place;
    }

    private void Write(int place, long key, MemberDescription? description)
    {
        if (IsLive(place))
        {
            Live--;
            Digest -= DigestAt(place);
        }

        // What stays the same stays in pages that are shared.
        _keys[place] = key;
        if (!ReferenceEquals(_descriptions[place], description))
        {
            _descriptions[place] = description;
        }

        if (IsLive(place))
        {
            Live++;
            Digest += DigestAt(place);
        }
    }

    private ulong DigestAt(int place) =>
        MemberKey.Digest(IdAt(place), MemberKey.Incarnation(_keys[place]), _descriptions[place]!);

    private void NoteDescribed(int place, long described)
    {
        if (described == MemberKey.Incarnation(_keys[place]))
        {
            _described.Remove(IdAt(place));
        }
        else
        {
            _described[IdAt(place)] = described;
        }
    }

    /// <summary>A row as the explorer keeps it.</summary>
    private sealed class Row
    {
        private int _id;
        private long _key;
        private long _described;

        public int Id { get => _id; init => _id = value; }

        public long Key { get => _key; init => _key = value; }

        public long Described { get => _described; init => _described = value; }

        public MemberDescription? Description { get; set; }

        public void State(StateVisitor visitor)
        {
            visitor.Visit("", ref _id);
            visitor.Visit("", ref _key);
            visitor.Visit("", ref _described);
            var (address, tags) = (Description?.Address ?? default, Description?.Tags ?? default);
            visitor.Visit("", ref address);
            visitor.Visit("", ref tags);
            Description = _key == MemberKey.Absent ? null : new MemberDescription(address, tags);
        }

        public override string ToString() => $"{Id}";
    }
}
