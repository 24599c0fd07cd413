using Synod.Core;
using Synod.Database.Directory;
using Synod.Database.Transactions;
using Synod.Protocols.Consensus;
using Synod.Storage;
using Synod.Storage.Mvcc;

namespace Synod.Database.Ranges;

/// <summary>
/// The replicated state of a range: versions, intents, prepared and unresolved transactions, sessions. Equal on every replica that
/// applied the same commands. It lives in the node's store; what is small and often asked for is mirrored in memory.
/// </summary>
internal sealed partial class RangeState : IReplicatedState
{
    private const int CollectedKeys = 1_000;

    private readonly IStore _store;
    private readonly ulong _group;
    private readonly DatabaseOptions _options;
    private readonly byte[] _progressKey;
    private readonly StoreBatch _batch = new();
    private readonly CodecWriter _writer = new();
    private readonly List<CommandEffect> _effects = [];

    /// <summary>Loads what survived of the group's state; absent if nothing did.</summary>
    public RangeState(IStore store, ulong group, DatabaseOptions options)
    {
        _store = store;
        _group = group;
        _options = options;
        _progressKey = RangeKeys.Progress(group);
        Load();
    }

    public Slot Applied { get; private set; }

    public bool IsAbsent => Applied.Value < 0;

    /// <summary>The highest term of a command applied here: those of lower terms have no effect from now on.</summary>
    public Ballot Term { get; private set; }

    public RangeDescriptor Descriptor { get; private set; } = null!;

    /// <summary>Above every commit and prepare timestamp applied here and every read served for these keys before a split.</summary>
    public Timestamp LastTimestamp { get; private set; }

    /// <summary>Reads below it are refused: their versions may be gone.</summary>
    public Timestamp CollectedUntil { get; private set; }

    /// <summary>Where the collection of old versions goes on; null when it has reached the end of the range.</summary>
    public Key? CollectNext { get; private set; }

    /// <summary>Reads versions at a timestamp. The caller has cut the span to the range and waited for what it must wait for.</summary>
    public Api.ReadResult Read(Api.Read read, KeySpan span, Timestamp at)
    {
        var result = new Api.ReadResult();
        if (read.Single)
        {
            if (MvccStore.Get(_store, span.Start, at) is { Value: { } value } version)
            {
                result.Items.Add(Responses.Item(span.Start, value, version.Timestamp));
            }

            return result;
        }

        var items = new List<MvccItem>();
        var limit = read.Limit == 0 ? Limits.ScanItems : (int)Math.Min(read.Limit, Limits.ScanItems);
        result.More = MvccStore.Scan(_store, span, at, limit, Limits.ScanBytes, items);
        foreach (var item in items)
        {
            result.Items.Add(Responses.Item(item.Key, item.Value, item.Timestamp));
        }

        return result;
    }

    /// <summary>
    /// Applies the commands of <paramref name="slot"/> in one atomic write, together with the slot, and says what each meant. Null if they
    /// have no effect because a leader of a later term than their own has begun. The list is good until the next call.
    /// </summary>
    public List<CommandEffect>? Apply(Slot slot, Ballot term, RangeCommand[] commands)
    {
        _batch.Clear();
        var isLate = term < Term && !_options.Mutation.HasFlag(DatabaseMutation.ApplyFormerTerms);
        _effects.Clear();
        for (var index = 0; index < commands.Length && !isLate; index++)
        {
            _effects.Add(Apply(commands[index]));
        }

        Applied = slot;
        Term = term > Term ? term : Term;
        PutProgress(Applied);
        _store.Write(_batch);
        _deciding.Clear();
        return isLate ? null : _effects;
    }

    private CommandEffect Apply(RangeCommand command) =>
        command switch
        {
            RangeCommand.CommitLocal c => Decide(c.Id, Outcome.Commit(c.Timestamp), c.Writes, []),
            RangeCommand.Stage c => Stage(c),
            RangeCommand.Commit c => Commit(c),
            RangeCommand.Abort c => Decide(c.Id, Outcome.Abort, [], []),
            RangeCommand.Prepare c => Prepare(c),
            RangeCommand.Resolve c => Resolve(c),
            RangeCommand.Fence c => Fence(c),
            RangeCommand.Forget c => Forget(c),
            RangeCommand.Split c => Split(c),
            RangeCommand.Collect c => Collect(c),
            RangeCommand.Lead => CommandEffect.None,
            _ => throw new InvariantViolation("CommandKnown", command.GetType().Name),
        };

    private CommandEffect Split(RangeCommand.Split command)
    {
        Invariant.Check(Prepared.Count + Staged.Count == 0, "SplitOnlyWhenDrained");
        Descriptor = command.Parent;
        PutDescriptor(command.Parent);
        if (_store.Get(RangeKeys.Descriptor(command.Child.Group)) is null)
        {
            MakeChild(command);
        }

        if (command.Parent.IsRetired && !_options.Mutation.HasFlag(DatabaseMutation.RetireWithOutcomes))
        {
            foreach (var id in Unresolved.Keys)
            {
                _batch.Delete(RangeKeys.Unresolved(_group, id));
            }

            Unresolved.Clear();
        }

        return CommandEffect.None;
    }

    /// <summary>The child as it begins. One that is here already was adopted: it has, or awaits, a state from after this.</summary>
    private void MakeChild(RangeCommand.Split command)
    {
        PutDescriptor(command.Child);
        _batch.Put(
            RangeKeys.Progress(command.Child.Group),
            RangeKeys.WriteProgress(_writer, Slot.None, Ballot.None, Timestamp.Max(command.Floor, LastTimestamp), CollectedUntil));

        // A request whose answer was lost may come again to the child: it has to know what was decided.
        using var sessions = _store.Seek(MetaKey.Kind(_group, RangeKeys.SessionKind));
        while (sessions.Next())
        {
            _batch.Put(MetaKey.Of(command.Child.Group, RangeKeys.SessionKind, MetaKey.SuffixOf(sessions.Key)), sessions.Value.ToArray());
        }

        if (command.Parent.IsRetired && !_options.Mutation.HasFlag(DatabaseMutation.RetireWithOutcomes))
        {
            // Participants that were not told yet are told by the successor: members that could lead this group may be gone for good.
            foreach (var (id, committed) in Unresolved)
            {
                _batch.Put(RangeKeys.Unresolved(command.Child.Group, id), RangeKeys.WriteUnresolved(_writer, committed));
            }
        }
    }

    private CommandEffect Collect(RangeCommand.Collect command)
    {
        if (!HoldsVersions(Descriptor))
        {
            CollectNext = null;
            return CommandEffect.None;
        }

        var before = CollectedUntil;
        CollectedUntil = Timestamp.Max(CollectedUntil, command.Threshold);
        var from = command.From > Descriptor.Span.Start ? command.From : Descriptor.Span.Start;
        var progress = MvccStore.CollectGarbage(
            _store, _batch, Descriptor.Span with { Start = from }, CollectedUntil, CollectedKeys);
        CollectNext = progress.More ? progress.Next : null;
        if (command.From.IsEmpty)
        {
            ExpireSessions(before);
            ExpireFences();
        }

        return CommandEffect.None;
    }

    /// <summary>
    /// Forgets sessions that were silent for as long as versions are kept (paxos.md §4: by a command that carries the leader's clock, so
    /// that every replica forgets the same ones). No client asks for an outcome that old. An abort carries no clock, and a group may have
    /// committed nothing for long: it counts as heard at the last threshold, so this is about those from before the one before.
    /// </summary>
    private void ExpireSessions(Timestamp threshold)
    {
        using var sessions = _store.Seek(MetaKey.Kind(_group, RangeKeys.SessionKind));
        while (sessions.Next())
        {
            if (RangeKeys.ReadSession(sessions.Value.ToArray()).Heard < threshold)
            {
                _batch.Delete(sessions.Key.ToArray());
            }
        }
    }
}
