using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Consensus;

public sealed partial class EPaxos
{
    /// <summary>The identity of one agreement: who coordinates it first, and that replica's counter from 1 on, never used twice.</summary>
    public readonly record struct InstanceId(NodeId Replica, long Number) : IComparable<InstanceId>
    {
        /// <summary>By number first, so that within a cycle no replica's commands always come first.</summary>
        public int CompareTo(InstanceId other) =>
            Number != other.Number ? Number.CompareTo(other.Number) : Replica.CompareTo(other.Replica);

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Replica.Value}.{Number}");
    }

    /// <summary>
    /// A set of instances as a vector: for each member, in the order of ids, a counter that stands for <em>every</em> interfering
    /// instance of that member up to it (epaxos.md §6), so that a link to older ones is never lost with the latest. Immutable.
    /// </summary>
    public sealed class Dependencies : IEquatable<Dependencies>
    {
        private readonly long[] _counters;

        private Dependencies(long[] counters) => _counters = counters;

        public int Count => _counters.Length;

        public long this[int column] => _counters[column];

        public static Dependencies Of(params ReadOnlySpan<long> counters) => new(counters.ToArray());

        /// <summary>Whether everything in <paramref name="other"/> is in this.</summary>
        public bool Covers(Dependencies other)
        {
            for (var column = 0; column < _counters.Length; column++)
            {
                if (_counters[column] < other._counters[column])
                {
                    return false;
                }
            }

            return true;
        }

        public Dependencies Union(Dependencies other)
        {
            if (Covers(other))
            {
                return this;
            }

            var union = new long[_counters.Length];
            for (var column = 0; column < union.Length; column++)
            {
                union[column] = Math.Max(_counters[column], other._counters[column]);
            }

            return new(union);
        }

        public bool Equals(Dependencies? other) =>
            ReferenceEquals(this, other) || (other is not null && _counters.AsSpan().SequenceEqual(other._counters));

        public override bool Equals(object? obj) => Equals(obj as Dependencies);

        /// <summary>For lookups only: never a value, never an order.</summary>
        public override int GetHashCode()
        {
            var hash = 17L;
            foreach (var counter in _counters)
            {
                hash = unchecked(hash * 31 + counter);
            }

            return (int)hash;
        }

        public override string ToString() =>
            $"[{string.Join(',', _counters.Select(counter => counter.ToString(CultureInfo.InvariantCulture)))}]";
    }

    /// <summary>A client's command: the operation, and which of the session's it is. A retry repeats the number and is executed once.</summary>
    public readonly record struct ClientCommand(long Session, long Number, ReadOnlyMemory<byte> Operation)
    {
        public bool Equals(ClientCommand other) =>
            Session == other.Session && Number == other.Number && Operation.Span.SequenceEqual(other.Operation.Span);

        /// <summary>For lookups only: never a value, never an order.</summary>
        public override int GetHashCode() => unchecked((int)(Session * 31 + Number));

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Session}/{Number}:{new Key(Operation)}");
    }

    /// <summary>What one instance agrees on: commands executed one after the other, or the Nop, which does nothing. Immutable.</summary>
    public sealed class Batch(params ClientCommand[] commands) : IEquatable<Batch>
    {
        /// <summary>No command: what recovery settles on when nobody can have committed one.</summary>
        public static Batch Nop { get; } = new();

        public ReadOnlySpan<ClientCommand> Commands => commands;

        public bool IsNop => commands.Length == 0;

        public bool Equals(Batch? other) =>
            ReferenceEquals(this, other) || (other is not null && Commands.SequenceEqual(other.Commands));

        public override bool Equals(object? obj) => Equals(obj as Batch);

        /// <summary>For lookups only: never a value, never an order.</summary>
        public override int GetHashCode() => commands.Length == 0 ? 0 : commands[0].GetHashCode();

        public override string ToString() => IsNop ? "Nop" : string.Join(' ', commands);
    }

    /// <summary>How far an instance has come at a replica (epaxos.md §3).</summary>
    public enum Phase : byte
    {
        /// <summary>Nothing was agreed to; the command may be known all the same.</summary>
        Initial,

        /// <summary>The first coordinator's proposal was answered.</summary>
        PreAccepted,

        /// <summary>A value was accepted in the accepted ballot.</summary>
        Accepted,

        /// <summary>Decided, for good.</summary>
        Committed,
    }

    /// <summary>An instance that might stand against another one's dependencies, and whether it is committed (epaxos.md §5.3).</summary>
    public readonly record struct Conflict(InstanceId Id, bool IsCommitted) : IComparable<Conflict>
    {
        public int CompareTo(Conflict other) => Id.CompareTo(other.Id);

        public override string ToString() => $"{Id}{(IsCommitted ? " committed" : "")}";
    }
}
