using Synod.Core;
using Synod.Database.Transactions;
using Synod.Storage.Mvcc;

namespace Synod.Database.Ranges;

/// <summary>A prepared transaction whose outcome is not applied here.</summary>
internal sealed record PreparedTransaction(Age Age, ulong Coordinator, Promise Promise, IReadOnlyList<KeyWrite> Writes);

/// <summary>A transaction that this group coordinates and that is committed once all its participants are prepared.</summary>
internal sealed record StagedTransaction(Age Age, Promise Promise, IReadOnlyList<KeyWrite> Writes, IReadOnlyList<ulong> Participants);

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
/// What the group knows of transactions. At the coordinator: nothing, staged, decided, and decided stays; at a participant: nothing,
/// prepared or fenced, resolved. Which of two commands comes first is settled here, where they are applied, so that no change of
/// leaders can settle it otherwise.
/// </summary>
internal sealed partial class RangeState
{
    // Outcomes of the slot that is being applied: they are in the batch, and not yet in the store.
    private readonly Dictionary<ulong, (ulong Sequence, Outcome Outcome)> _deciding = [];

    public SortedList<TransactionId, PreparedTransaction> Prepared { get; } = [];

    public SortedList<TransactionId, StagedTransaction> Staged { get; } = [];

    public SortedList<TransactionId, CommittedTransaction> Unresolved { get; } = [];

    /// <summary>Transactions that will never be prepared here, with the time when that was said.</summary>
    public SortedDictionary<TransactionId, Timestamp> Fences { get; } = [];

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

    /// <summary>
    /// What the session says of a transaction: decided, left behind, or nothing. Nothing while it is staged, although the session may be
    /// past it: its client was told of the commit when the last vote was in, and went on.
    /// </summary>
    public CommandEffect SessionOf(TransactionId id) => Staged.ContainsKey(id) ? CommandEffect.None : Compare(id, LastOf(id.Client));

    private static CommandEffect Compare(TransactionId id, (ulong Sequence, Outcome Outcome)? known) =>
        known is not { } last || last.Sequence < id.Sequence ? CommandEffect.None
        : last.Sequence > id.Sequence ? CommandEffect.Stale
        : CommandEffect.Decided(last.Outcome);

    private (ulong Sequence, Outcome Outcome)? LastOf(ulong client)
    {
        if (_deciding.TryGetValue(client, out var deciding))
        {
            return deciding;
        }

        if (_store.Get(RangeKeys.Session(_group, client)) is not { } bytes)
        {
            return null;
        }

        var (sequence, outcome, _) = RangeKeys.ReadSession(bytes);
        return (sequence, outcome);
    }

    /// <summary>A Stage that finds an outcome, a tombstone above all, comes too late.</summary>
    private CommandEffect Stage(RangeCommand.Stage command)
    {
        var known = SessionOf(command.Id);
        if (known.Kind != EffectKind.None && !_options.Mutation.HasFlag(DatabaseMutation.StageOverOutcome))
        {
            return known;
        }

        var staged = new StagedTransaction(command.Age, command.Promise, command.Writes, command.Participants);
        LastTimestamp = Timestamp.Max(LastTimestamp, command.Promise.Timestamp);
        Record(Staged, command.Id, staged, RangeKeys.Staged(_group, command.Id), RangeKeys.WriteStaged(_writer, staged));
        return CommandEffect.None;
    }

    private CommandEffect Commit(RangeCommand.Commit command)
    {
        if (!Staged.TryGetValue(command.Id, out var staged))
        {
            return SessionOf(command.Id);
        }

        Invariant.Check(IsWithin(command.Timestamp, staged.Promise), "CommitWithinPromise", $"{command.Timestamp}, {staged.Promise}");
        return Decide(command.Id, Outcome.Commit(command.Timestamp), staged.Writes, staged.Participants);
    }

    /// <summary>The first outcome of a transaction id stands; a later command for it has no effect.</summary>
    private CommandEffect Decide(
        TransactionId id, Outcome outcome, IReadOnlyList<KeyWrite> writes, IReadOnlyList<ulong> participants)
    {
        var last = LastOf(id.Client);
        if (Staged.Remove(id))
        {
            _batch.Delete(RangeKeys.Staged(_group, id));
        }
        else if (Compare(id, last) is { Kind: not EffectKind.None } known && !_options.Mutation.HasFlag(DatabaseMutation.ForgetSessions))
        {
            return known;
        }

        if (last is null || last.Value.Sequence <= id.Sequence)
        {
            var heard = Timestamp.Max(CollectedUntil, Timestamp.Max(LastTimestamp, outcome.Timestamp));
            _deciding[id.Client] = (id.Sequence, outcome);
            _batch.Put(RangeKeys.Session(_group, id.Client), RangeKeys.WriteSession(_writer, id.Sequence, outcome, heard));
        }

        if (!outcome.IsCommit)
        {
            return CommandEffect.Decided(outcome);
        }

        PutVersions(writes, outcome.Timestamp);
        if (participants.Count > 0)
        {
            var committed = new CommittedTransaction(outcome.Timestamp, participants);
            Record(Unresolved, id, committed, RangeKeys.Unresolved(_group, id), RangeKeys.WriteUnresolved(_writer, committed));
        }

        return CommandEffect.Decided(outcome);
    }

    /// <summary>The first record of a transaction stands: what it promises may have been told.</summary>
    private CommandEffect Prepare(RangeCommand.Prepare command)
    {
        if (Fences.ContainsKey(command.Id))
        {
            return CommandEffect.Decided(Outcome.Abort);
        }

        var prepared = new PreparedTransaction(command.Age, command.Coordinator, command.Promise, command.Writes);
        if (Prepared.TryAdd(command.Id, prepared))
        {
            LastTimestamp = Timestamp.Max(LastTimestamp, command.Promise.Timestamp);
            _batch.Insert(RangeKeys.Prepared(_group, command.Id), RangeKeys.WritePrepared(_writer, prepared));
        }

        return CommandEffect.None;
    }

    private CommandEffect Fence(RangeCommand.Fence command)
    {
        if (Prepared.ContainsKey(command.Id))
        {
            return CommandEffect.None;
        }

        if (!_options.Mutation.HasFlag(DatabaseMutation.FenceNotKept))
        {
            Fences[command.Id] = command.At;
            _batch.Put(RangeKeys.Fence(_group, command.Id), RangeKeys.WriteFence(_writer, command.At));
        }

        return CommandEffect.Decided(Outcome.Abort);
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
                IsWithin(command.Outcome.Timestamp, prepared.Promise)
                || prepared.Writes.All(write => IsWritten(write.Key, command.Outcome.Timestamp)),
                "CommitWithinPromise",
                $"{command.Outcome.Timestamp}, {prepared.Promise}");
            PutVersions(prepared.Writes, command.Outcome.Timestamp);
        }

        return CommandEffect.Decided(command.Outcome);
    }

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

    // What is mirrored here is in the store, and nothing else of its kind: most of it goes again before it left the store's buffer.
    private void Record<T>(SortedList<TransactionId, T> mirror, TransactionId id, T value, byte[] key, byte[] bytes)
    {
        if (mirror.TryAdd(id, value))
        {
            _batch.Insert(key, bytes);
            return;
        }

        mirror[id] = value;
        _batch.Put(key, bytes);
    }

    /// <summary>No request to prepare is on its way for as long as versions are kept.</summary>
    private void ExpireFences()
    {
        foreach (var (id, _) in Fences.Where(fence => fence.Value < CollectedUntil).ToList())
        {
            Fences.Remove(id);
            _batch.Delete(RangeKeys.Fence(_group, id));
        }
    }

    private void PutVersions(IReadOnlyList<KeyWrite> writes, Timestamp at)
    {
        for (var index = 0; index < writes.Count; index++)
        {
            MvccStore.Put(_batch, writes[index].Key, at, writes[index].Value);
        }

        LastTimestamp = Timestamp.Max(LastTimestamp, at);
    }

    private bool IsWithin(Timestamp at, Promise promise) =>
        (at >= promise.Timestamp || _options.Mutation.HasFlag(DatabaseMutation.IgnorePrepareTimestamps))
        && (at <= promise.ValidUntil || _options.Mutation.HasFlag(DatabaseMutation.IgnoreVoteValidity));

    /// <summary>
    /// Whether the version is here already: a request to prepare that was delivered once more after its outcome was applied prepares at a
    /// later timestamp, and then meets the same outcome again.
    /// </summary>
    private bool IsWritten(Key key, Timestamp at) => MvccStore.Get(_store, key, at) is { } version && version.Timestamp == at;
}
