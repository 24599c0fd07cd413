using Synod.Core;
using Synod.Database.Directory;
using Synod.Database.Transactions;
using Synod.Protocols.Consensus;
using Synod.Storage;
using Synod.Storage.Mvcc;

namespace Synod.Database.Ranges;

/// <summary>A prepared transaction whose outcome is not applied here.</summary>
internal sealed record PreparedTransaction(Age Age, ulong Coordinator, Timestamp PrepareTimestamp, IReadOnlyList<KeyWrite> Writes);

/// <summary>A transaction that this group committed and whose participants have not all said that they applied it.</summary>
internal sealed record CommittedTransaction(Timestamp Timestamp, IReadOnlyList<ulong> Participants);

internal enum EffectKind : byte
{
    /// <summary>The command concerns no transaction's outcome, or nothing is known of it.</summary>
    None,

    /// <summary>This is the transaction's outcome, now or since before.</summary>
    Decided,

    /// <summary>The session is past the transaction: nobody waits for its outcome any more, and it may have been forgotten.</summary>
    Stale,
}

/// <summary>What applying a command meant for the transaction it names.</summary>
internal readonly record struct CommandEffect(EffectKind Kind, Outcome? Outcome)
{
    public static CommandEffect None => default;

    public static CommandEffect Stale => new(EffectKind.Stale, null);

    public static CommandEffect Decided(Outcome outcome) => new(EffectKind.Decided, outcome);
}

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
    private readonly StoreBatch _batch = new();

    // Outcomes of the slot that is being applied: they are in the batch, and not yet in the store.
    private readonly Dictionary<ulong, (ulong Sequence, Outcome Outcome)> _deciding = [];

    /// <summary>Loads what survived of the group's state; absent if nothing did.</summary>
    public RangeState(IStore store, ulong group, DatabaseOptions options)
    {
        _store = store;
        _group = group;
        _options = options;
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

    public SortedDictionary<TransactionId, PreparedTransaction> Prepared { get; } = [];

    public SortedDictionary<TransactionId, CommittedTransaction> Unresolved { get; } = [];

    /// <summary>The outcome that was agreed on for a transaction this group coordinates, or null if none was.</summary>
    public Outcome? OutcomeOf(TransactionId id)
    {
        if (Unresolved.TryGetValue(id, out var committed))
        {
            return Outcome.Commit(committed.Timestamp);
        }

        // The session is past it: it was aborted, or every participant has applied it and none can be asking.
        var effect = SessionOf(id);
        return effect.Kind == EffectKind.Stale ? Outcome.Abort : effect.Outcome;
    }

    /// <summary>What the session says of a transaction: decided, left behind, or nothing.</summary>
    public CommandEffect SessionOf(TransactionId id)
    {
        if (!_deciding.TryGetValue(id.Client, out var last))
        {
            if (_store.Get(RangeKeys.Session(_group, id.Client)) is not { } bytes)
            {
                return CommandEffect.None;
            }

            (last.Sequence, last.Outcome, _) = RangeKeys.ReadSession(bytes);
        }

        var (sequence, outcome) = last;
        return sequence < id.Sequence ? CommandEffect.None
            : sequence > id.Sequence ? CommandEffect.Stale
            : CommandEffect.Decided(outcome);
    }

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
    /// have no effect because a leader of a later term than their own has begun.
    /// </summary>
    public IReadOnlyList<CommandEffect>? Apply(Slot slot, Ballot term, IReadOnlyList<RangeCommand> commands)
    {
        _batch.Clear();
        var isLate = term < Term && !_options.Mutation.HasFlag(DatabaseMutation.ApplyFormerTerms);
        var effects = isLate ? null : new CommandEffect[commands.Count];
        for (var index = 0; index < effects?.Length; index++)
        {
            effects[index] = Apply(commands[index]);
        }

        Applied = slot;
        Term = term > Term ? term : Term;
        WriteProgress(_batch, _group, Applied, Term, LastTimestamp, CollectedUntil);
        _store.Write(_batch);
        _deciding.Clear();
        return effects;
    }

    private CommandEffect Apply(RangeCommand command) =>
        command switch
        {
            RangeCommand.CommitLocal c => Decide(c.Id, Outcome.Commit(c.Timestamp), c.Writes, []),
            RangeCommand.Commit c => Decide(c.Id, Outcome.Commit(c.Timestamp), c.Writes, c.Participants),
            RangeCommand.Abort c => Decide(c.Id, Outcome.Abort, [], []),
            RangeCommand.Prepare c => Prepare(c),
            RangeCommand.Resolve c => Resolve(c),
            RangeCommand.Forget c => Forget(c),
            RangeCommand.Split c => Split(c),
            RangeCommand.Collect c => Collect(c),
            RangeCommand.Lead => CommandEffect.None,
            _ => throw new InvariantViolation("CommandKnown", command.GetType().Name),
        };

    /// <summary>The first outcome of a transaction id stands; a later command for it has no effect.</summary>
    private CommandEffect Decide(
        TransactionId id, Outcome outcome, IReadOnlyList<KeyWrite> writes, IReadOnlyList<ulong> participants)
    {
        var known = SessionOf(id);
        if (known.Kind != EffectKind.None && !_options.Mutation.HasFlag(DatabaseMutation.ForgetSessions))
        {
            return known;
        }

        var heard = Timestamp.Max(LastTimestamp, outcome.Timestamp);
        _deciding[id.Client] = (id.Sequence, outcome);
        _batch.Put(RangeKeys.Session(_group, id.Client), RangeKeys.WriteSession(id.Sequence, outcome, heard));
        if (!outcome.IsCommit)
        {
            return CommandEffect.Decided(outcome);
        }

        foreach (var (key, value) in writes)
        {
            MvccStore.Put(_batch, key, outcome.Timestamp, value);
        }

        LastTimestamp = Timestamp.Max(LastTimestamp, outcome.Timestamp);
        if (participants.Count > 0)
        {
            var committed = new CommittedTransaction(outcome.Timestamp, participants);
            Unresolved[id] = committed;
            _batch.Put(RangeKeys.Unresolved(_group, id), RangeKeys.WriteUnresolved(committed));
        }

        return CommandEffect.Decided(outcome);
    }

    private CommandEffect Prepare(RangeCommand.Prepare command)
    {
        var prepared = new PreparedTransaction(command.Age, command.Coordinator, command.PrepareTimestamp, command.Writes);
        Prepared[command.Id] = prepared;
        LastTimestamp = Timestamp.Max(LastTimestamp, command.PrepareTimestamp);
        _batch.Put(RangeKeys.Prepared(_group, command.Id), RangeKeys.WritePrepared(prepared));
        return CommandEffect.None;
    }

    private CommandEffect Resolve(RangeCommand.Resolve command)
    {
        if (!Prepared.Remove(command.Id, out var prepared))
        {
            return CommandEffect.None;
        }

        _batch.Delete(RangeKeys.Prepared(_group, command.Id));
        if (command.Outcome.IsCommit)
        {
            Invariant.Check(
                command.Outcome.Timestamp >= prepared.PrepareTimestamp
                || prepared.Writes.All(write => IsWritten(write.Key, command.Outcome.Timestamp))
                || _options.Mutation.HasFlag(DatabaseMutation.IgnorePrepareTimestamps),
                "CommitNotBeforePrepare");
            foreach (var (key, value) in prepared.Writes)
            {
                MvccStore.Put(_batch, key, command.Outcome.Timestamp, value);
            }

            LastTimestamp = Timestamp.Max(LastTimestamp, command.Outcome.Timestamp);
        }

        return CommandEffect.Decided(command.Outcome);
    }

    /// <summary>
    /// Whether the version is here already: a request to prepare that was delivered once more after its outcome was applied prepares at a
    /// later timestamp, and then meets the same outcome again.
    /// </summary>
    private bool IsWritten(Key key, Timestamp at) => MvccStore.Get(_store, key, at) is { } version && version.Timestamp == at;

    private CommandEffect Forget(RangeCommand.Forget command)
    {
        foreach (var id in command.Ids)
        {
            if (Unresolved.Remove(id))
            {
                _batch.Delete(RangeKeys.Unresolved(_group, id));
            }
        }

        return CommandEffect.None;
    }

    private CommandEffect Split(RangeCommand.Split command)
    {
        Invariant.Check(Prepared.Count == 0, "SplitOnlyWhenDrained");
        Descriptor = command.Parent;
        WriteDescriptor(_batch, command.Parent);
        WriteDescriptor(_batch, command.Child);
        WriteProgress(_batch, command.Child.Group, Slot.None, Ballot.None, Timestamp.Max(command.Floor, LastTimestamp), CollectedUntil);
        // A request whose answer was lost may come again to the child: it has to know what was decided.
        using var sessions = _store.Seek(MetaKey.Kind(_group, RangeKeys.SessionKind));
        while (sessions.Next())
        {
            _batch.Put(MetaKey.Of(command.Child.Group, RangeKeys.SessionKind, MetaKey.SuffixOf(sessions.Key)), sessions.Value.ToArray());
        }

        return CommandEffect.None;
    }

    private CommandEffect Collect(RangeCommand.Collect command)
    {
        CollectedUntil = Timestamp.Max(CollectedUntil, command.Threshold);
        var from = command.From > Descriptor.Span.Start ? command.From : Descriptor.Span.Start;
        var progress = MvccStore.CollectGarbage(
            _store, _batch, Descriptor.Span with { Start = from }, CollectedUntil, CollectedKeys);
        CollectNext = progress.More ? progress.Next : null;
        if (command.From.IsEmpty)
        {
            ExpireSessions();
        }

        return CommandEffect.None;
    }

    /// <summary>
    /// Forgets sessions that were silent for as long as versions are kept (paxos.md §4: by a command that carries the leader's clock, so
    /// that every replica forgets the same ones). No client asks for an outcome that old.
    /// </summary>
    private void ExpireSessions()
    {
        using var sessions = _store.Seek(MetaKey.Kind(_group, RangeKeys.SessionKind));
        while (sessions.Next())
        {
            if (RangeKeys.ReadSession(sessions.Value.ToArray()).Heard < CollectedUntil)
            {
                _batch.Delete(sessions.Key.ToArray());
            }
        }
    }
}
