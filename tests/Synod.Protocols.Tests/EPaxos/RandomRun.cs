using Synod.Core;
using Synod.Protocols.Consensus;
using Synod.Simulation;
using Xunit;

namespace Synod.Protocols.Tests.EPaxosRoom;

using Outbox = Outbox<Synod.Protocols.Consensus.EPaxos.Message, Synod.Protocols.Consensus.EPaxos.Record, Synod.Protocols.Consensus.EPaxos.Command, Synod.Protocols.Consensus.EPaxos.Result>;
using Room = Synod.Protocols.Consensus.EPaxos;

/// <summary>
/// One short run under a seed: a few interfering commands, messages in any order, lost and doubled, disks as slow as they like, crashes and
/// untimely recoveries; then everything that is left happens. No time, no frames: a hundred thousand take minutes.
/// </summary>
internal sealed class RandomRun
{
    private const int Commands = 4;

    private readonly SeededRandom _random;
    private readonly EPaxosGroup _group;
    private readonly EPaxosOptions _options;
    private readonly Clock _clock = new();
    private readonly Replica[] _replicas;
    private readonly List<(int From, int To, Room.Message Message)> _network = [];
    private readonly SortedDictionary<Room.InstanceId, (Room.Batch Value, Room.Dependencies Deps)> _told = [];
    private int _submitted;
    private int _crashes;

    public RandomRun(ulong seed, int count, EPaxosMutation mutation = EPaxosMutation.None)
    {
        _random = new SeededRandom(seed);
        _group = Sites.GroupOf(count);
        _options = new EPaxosOptions { Mutation = mutation };
        _replicas = [.. Enumerable.Range(0, count).Select(index => new Replica { Protocol = Make(index) })];
        for (var index = 0; index < count; index++)
        {
            Step(index, (protocol, outbox) => protocol.Recover([], _clock, outbox));
        }
    }

    /// <summary>Whether a recovery waited for another.</summary>
    public bool Waited { get; private set; }

    public int Nops { get; private set; }

    public int Cycles { get; private set; }

    /// <summary>What was found wrong; null if nothing.</summary>
    public string? Run()
    {
        for (var step = 0; step < 40 * Commands; step++)
        {
            Act();
        }

        for (var round = 0; round < 60; round++)
        {
            Drain();
            for (var index = 0; index < _replicas.Length; index++)
            {
                _clock.Advance();
                Fire(index);
            }
        }

        return Verdict();
    }

    private void Act()
    {
        var index = _random.Below(_replicas.Length);
        switch (_random.Below(24))
        {
            case 0 when _submitted < Commands:
                var session = ++_submitted;
                Step(index, (protocol, outbox) => protocol.Submit(
                    new RequestId(1), new Room.Command.Invoke(new(session, 1, Sites.Put("x", $"{session}"))), _clock, outbox));
                break;
            case 1:
                Suspect(index);
                break;
            case 2 when _crashes < 3:
                Crash(index);
                break;
            case 3:
                Fire(index);
                break;
            case 4 when _network.Count > 0:
                _network.RemoveAt(_random.Below(_network.Count));
                break;
            case < 12:
                _replicas[index].Durable += _random.Below(_replicas[index].Log.Count - _replicas[index].Durable + 1);
                Release(index);
                break;
            default:
                if (_network.Count > 0)
                {
                    Deliver(_random.Below(_network.Count), keep: _random.Below(20) == 0);
                }

                break;
        }
    }

    /// <summary>Only what was heard of: a number that its coordinator never proposed is no instance, and it would refuse to hear of it.</summary>
    private void Suspect(int index)
    {
        if (_replicas[index].Protocol.Held.ToList() is { Count: > 0 } held)
        {
            var id = held[_random.Below(held.Count)];
            Step(index, (protocol, outbox) => protocol.Submit(new RequestId(2), new Room.Command.Suspect(id), _clock, outbox));
        }
    }

    private void Deliver(int at, bool keep)
    {
        var (from, to, message) = _network[at];
        if (!keep)
        {
            _network.RemoveAt(at);
        }

        Step(to, (protocol, outbox) => protocol.Receive(_group[from], message, _clock, outbox));
    }

    private void Drain()
    {
        for (var steps = 0; ; steps++)
        {
            for (var index = 0; index < _replicas.Length; index++)
            {
                _replicas[index].Durable = _replicas[index].Log.Count;
                Release(index);
            }

            if (_network.Count == 0)
            {
                return;
            }

            Assert.True(steps < 20_000, "messages breed messages");
            Deliver(0, keep: false);
        }
    }

    private void Crash(int index)
    {
        _crashes++;
        var old = _replicas[index];
        var records = old.Log.GetRange(0, old.Durable);
        _replicas[index] = new Replica { Protocol = Make(index), Log = [.. records], Durable = records.Count, Base = records.Count };
        Step(index, (protocol, outbox) => protocol.Recover(records, _clock, outbox));
    }

    private void Fire(int index)
    {
        if (_replicas[index].IsArmed)
        {
            _replicas[index].IsArmed = false;
            Step(index, (protocol, outbox) => protocol.Fire(new TimerId((int)Room.Timer.Beat), _clock, outbox));
        }
    }

    private void Step(int index, Action<Room, Outbox> step)
    {
        var replica = _replicas[index];
        replica.Outbox.Clear();
        step(replica.Protocol, replica.Outbox);
        replica.Log.AddRange(replica.Outbox.Records);
        replica.Held.AddRange(replica.Outbox.Messages);
        replica.IsArmed |= replica.Outbox.Timers.Length > 0;
        Waited |= replica.Protocol.MayBeWaiting;
        Release(index);
    }

    private void Release(int index)
    {
        var replica = _replicas[index];
        foreach (var sent in replica.Held)
        {
            if (sent.RecordsBefore <= replica.Durable - replica.Base)
            {
                _network.Add((index, _group.ColumnOf(sent.To), sent.Message));
                Note(sent.Message);
            }
        }

        replica.Held.RemoveAll(sent => sent.RecordsBefore <= replica.Durable - replica.Base);
    }

    /// <summary>Whoever tells a decision has made it durable.</summary>
    private void Note(Room.Message message)
    {
        if (message is Room.Message.Commit commit && !_told.TryAdd(commit.Id, (commit.Batch, commit.Deps))
            && !_told[commit.Id].Equals((commit.Batch, commit.Deps)))
        {
            throw new InvariantViolation(Room.Agreement, $"{commit} after {_told[commit.Id]}");
        }
    }

    private string? Verdict()
    {
        var decided = _told.Where(item => !item.Value.Value.IsNop).ToList();
        Nops = _told.Count - decided.Count;
        foreach (var (id, (_, deps)) in decided)
        {
            foreach (var (other, (_, otherDeps)) in decided.Where(item => item.Key.CompareTo(id) < 0))
            {
                var (after, before) = (Contains(deps, other), Contains(otherDeps, id));
                Cycles += after && before ? 1 : 0;
                if (!after && !before)
                {
                    return $"{Room.Visibility}: {id} {deps} and {other} {otherDeps}";
                }
            }
        }

        var states = _replicas.Select(replica => string.Join(' ', _group.Members.Select(replica.Protocol.ExecutedUpTo)) + Shown(replica.Protocol));
        return states.Distinct().Skip(1).Any() || _replicas.Any(replica => replica.Protocol.Held.Any())
            ? $"{Room.ExecutionConsistency}: {string.Join("; ", states)}"
            : null;
    }

    private bool Contains(Room.Dependencies deps, Room.InstanceId id) => id.Number <= deps[_group.ColumnOf(id.Replica)];

    private static string Shown(Room replica) =>
        string.Join(' ', ((ReplicatedMap)replica.Replicated).Values.Select(pair => $" {pair.Key}={new Key(pair.Value)}"));

    private Room Make(int index) => new(_group[index], _group, _options, new ReplicatedMap());

    private sealed class Replica
    {
        public required Room Protocol { get; init; }

        public List<Room.Record> Log { get; init; } = [];

        public int Base { get; init; }

        public int Durable { get; set; }

        public bool IsArmed { get; set; }

        public List<Sent<Room.Message>> Held { get; } = [];

        public Outbox Outbox { get; } = new();
    }

    /// <summary>Goes on by a beat with every firing at the end, so that patience runs out.</summary>
    private sealed class Clock : StepContext
    {
        public override int Choose(int count) => 0;

        public void Advance() => Now += Duration.FromMilliseconds(37);
    }
}
