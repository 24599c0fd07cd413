using System.Globalization;
using Synod.Core;
using Synod.Protocols.Consensus;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

using Outbox = Outbox<EPaxos.Message, EPaxos.Record, EPaxos.Command, EPaxos.Result>;

/// <summary>
/// One short run under a seed: a few interfering commands, messages in any order, lost and doubled, disks as slow as they like, crashes,
/// replicas that nobody hears any more, and untimely recoveries; then everything that is left happens. No time, no frames: a hundred
/// thousand take minutes.
/// </summary>
public sealed class EPaxosRun
{
    private const int Commands = 4;

    private readonly SeededRandom _random;
    private readonly EPaxosGroup _group;
    private readonly EPaxosOptions _options;
    private readonly Clock _clock = new();
    private readonly Replica[] _replicas;
    private readonly List<(int From, int To, EPaxos.Message Message)> _network = [];
    private readonly SortedDictionary<EPaxos.InstanceId, (EPaxos.Batch Value, EPaxos.Dependencies Deps)> _told = [];
    private int _submitted;
    private readonly int _slow;
    private readonly int _length;
    private int _crashes;
    private int _hidden;

    public EPaxosRun(ulong seed, int replicas)
        : this(seed, replicas, EPaxosMutation.None)
    {
    }

    internal EPaxosRun(ulong seed, int count, EPaxosMutation mutation)
    {
        _random = new SeededRandom(seed);
        _group = new EPaxosGroup(NodeSet.Of([.. Enumerable.Range(1, count).Select(number => new NodeId(number))]));
        _options = new EPaxosOptions { Mutation = mutation };
        _length = 8 * count * Commands - _random.Below(6 * count * Commands);
        for (var index = 0; index < count; index++)
        {
            _slow |= _random.Below(4) == 0 ? 1 << index : 0;
        }

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

    /// <exception cref="InvariantViolation">Something did not hold.</exception>
    public void Run()
    {
        for (var step = _length; step > 0; step--)
        {
            Act();
        }

        if (_random.Below(4) > 0)
        {
            GoOnWithoutSome();
        }

        _hidden = 0;
        GoOn(60);
        Judge();
    }

    /// <summary>
    /// Some lose what is not durable; and as many as may be dead are heard no more, while the others settle whatever they know of.
    /// </summary>
    private void GoOnWithoutSome()
    {
        for (var count = _random.Below(_group.Faults + 1); count > 0; count--)
        {
            Crash(_random.Below(_replicas.Length));
        }

        for (var count = _group.Faults; count > 0; count--)
        {
            _hidden |= 1 << _random.Below(_replicas.Length);
        }

        for (var index = 0; index < _replicas.Length; index++)
        {
            foreach (var id in IsHidden(index) ? [] : _replicas[index].Protocol.Held.ToList())
            {
                Suspect(index, id);
            }
        }

        GoOn(20);
    }

    private void GoOn(int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            Drain();
            if (!_replicas.Where((_, index) => !IsHidden(index)).Any(replica => replica.IsArmed))
            {
                return;
            }

            for (var index = 0; index < _replicas.Length; index++)
            {
                _clock.Advance();
                Fire(index);
            }
        }
    }

    private bool IsHidden(int index) => (_hidden >> index & 1) == 1;

    private void Act()
    {
        var index = _random.Below(_replicas.Length);
        switch (_random.Below(24))
        {
            case 0 when _submitted < Commands:
                var session = ++_submitted;
                Step(index, (protocol, outbox) => protocol.Submit(
                    new RequestId(1), new EPaxos.Command.Invoke(new(session, 1, Put(session))), _clock, outbox));
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
            case < 12 when (_slow >> index & 1) == 1 && _random.Below(8) > 0:
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
            Suspect(index, held[_random.Below(held.Count)]);
        }
    }

    private void Suspect(int index, EPaxos.InstanceId id) => Step(
        index, (protocol, outbox) => protocol.Submit(new RequestId(2), new EPaxos.Command.Suspect(id), _clock, outbox));

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

            var next = _network.FindIndex(item => !IsHidden(item.From) && !IsHidden(item.To));
            if (next < 0)
            {
                return;
            }

            Invariant.Check(steps < 20_000, "MessagesEnd");
            Deliver(next, keep: false);
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
        if (_replicas[index].IsArmed && !IsHidden(index))
        {
            _replicas[index].IsArmed = false;
            Step(index, (protocol, outbox) => protocol.Fire(new TimerId((int)EPaxos.Timer.Beat), _clock, outbox));
        }
    }

    private void Step(int index, Action<EPaxos, Outbox> step)
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
    private void Note(EPaxos.Message message)
    {
        if (message is EPaxos.Message.Commit commit && !_told.TryAdd(commit.Id, (commit.Batch, commit.Deps))
            && !_told[commit.Id].Equals((commit.Batch, commit.Deps)))
        {
            throw new InvariantViolation(EPaxos.Agreement, $"{commit} after {_told[commit.Id]}");
        }
    }

    private void Judge()
    {
        var decided = _told.Where(item => !item.Value.Value.IsNop).ToList();
        Nops = _told.Count - decided.Count;
        foreach (var (id, (_, deps)) in decided)
        {
            foreach (var (other, (_, otherDeps)) in decided.Where(item => item.Key.CompareTo(id) < 0))
            {
                var (after, before) = (Contains(deps, other), Contains(otherDeps, id));
                Cycles += after && before ? 1 : 0;
                Invariant.Check(after || before, EPaxos.Visibility, $"{id} {deps} and {other} {otherDeps}");
            }
        }

        var states = _replicas.Select(replica => string.Join(' ', _group.Members.Select(replica.Protocol.ExecutedUpTo)) + Shown(replica.Protocol)).ToList();
        Invariant.Check(
            states.Distinct().Count() == 1 && !_replicas.Any(replica => replica.Protocol.Held.Any()),
            EPaxos.ExecutionConsistency,
            $"{string.Join("; ", states)}");
    }

    private bool Contains(EPaxos.Dependencies deps, EPaxos.InstanceId id) => id.Number <= deps[_group.ColumnOf(id.Replica)];

    private static string Shown(EPaxos replica) =>
        string.Join(' ', ((ReplicatedMap)replica.Replicated).Values.Select(pair => $" {pair.Key}={new Key(pair.Value)}"));

    private static ReadOnlyMemory<byte> Put(int value) =>
        ReplicatedMap.Put(Key.Of("x"), Key.Of(value.ToString(CultureInfo.InvariantCulture)).Memory);

    private EPaxos Make(int index) => new(_group[index], _group, _options, new ReplicatedMap());

    private sealed class Replica
    {
        public required EPaxos Protocol { get; init; }

        public List<EPaxos.Record> Log { get; init; } = [];

        public int Base { get; init; }

        public int Durable { get; set; }

        public bool IsArmed { get; set; }

        public List<Sent<EPaxos.Message>> Held { get; } = [];

        public Outbox Outbox { get; } = new();
    }

    /// <summary>Goes on by a beat with every firing at the end, so that patience runs out.</summary>
    private sealed class Clock : StepContext
    {
        public override int Choose(int count) => 0;

        public void Advance() => Now += Duration.FromMilliseconds(37);
    }
}
