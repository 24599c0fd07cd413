using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>What replicas say, keep, are told and answer. Names as in the notes and papers.</summary>
public sealed partial class EPaxos
{
    /// <summary>Between replicas of one group. Ballot "none" is the first coordinator's own.</summary>
    public abstract record Message
    {
        private Message()
        {
        }

        /// <summary>Coordinator to all, or to a fast quorum: agree to this command after these dependencies. Its own record is durable.</summary>
        public sealed record PreAccept(InstanceId Id, Batch Batch, Dependencies Deps) : Message
        {
            public override string ToString() => $"PreAccept {Id} {Deps} {Batch}";
        }

        /// <summary>To the coordinator, after the record is durable: agreed, with what interferes here added.</summary>
        public sealed record PreAcceptOk(InstanceId Id, Dependencies Deps) : Message
        {
            public override string ToString() => $"PreAcceptOk {Id} {Deps}";
        }

        /// <summary>Whoever leads the ballot to all, or to a quorum: accept this value.</summary>
        public sealed record Accept(InstanceId Id, Ballot Ballot, Batch Batch, Dependencies Deps) : Message
        {
            public override string ToString() => $"Accept {Id} {Ballot} {Deps} {Batch}";
        }

        /// <summary>To whoever leads the ballot, after the record is durable: accepted.</summary>
        public sealed record AcceptOk(InstanceId Id, Ballot Ballot) : Message
        {
            public override string ToString() => $"AcceptOk {Id} {Ballot}";
        }

        /// <summary>Anyone to anyone, after the sender's record is durable: this is decided.</summary>
        public sealed record Commit(InstanceId Id, Batch Batch, Dependencies Deps) : Message
        {
            public override string ToString() => $"Commit {Id} {Deps} {Batch}";
        }

        /// <summary>A recovering replica to all: join my ballot and say what you know. Its own promise is durable.</summary>
        public sealed record Recover(InstanceId Id, Ballot Ballot) : Message
        {
            public override string ToString() => $"Recover {Id} {Ballot}";
        }

        /// <summary>To the recovering replica, after the promise is durable. A committed instance is answered with Commit instead.</summary>
        /// <param name="Accepted">The ballot in which the value was accepted; not that which was joined last (epaxos.md §9.1).</param>
        /// <param name="Batch">The value: the command, the Nop that was accepted, or null if none is known.</param>
        public sealed record RecoverOk(
            InstanceId Id, Ballot Ballot, Phase Phase, Ballot Accepted, Batch? Batch, Dependencies? Deps, Dependencies? InitialDeps) : Message
        {
            public override string ToString() =>
                $"RecoverOk {Id} {Ballot} {Phase} in {Accepted} {Deps?.ToString() ?? "?"} from {InitialDeps?.ToString() ?? "?"} {Batch?.ToString() ?? "?"}";
        }

        /// <summary>A recovering replica to its quorum: what would stand against this command with these dependencies?</summary>
        public sealed record Validate(InstanceId Id, Ballot Ballot, Batch Batch, Dependencies Deps) : Message
        {
            public override string ToString() => $"Validate {Id} {Ballot} {Deps} {Batch}";
        }

        /// <summary>To the recovering replica, after the record is durable: all of these would.</summary>
        public sealed record ValidateOk(InstanceId Id, Ballot Ballot, ImmutableArray<Conflict> Conflicts) : Message
        {
            public override string ToString() => $"ValidateOk {Id} {Ballot} [{string.Join(',', Conflicts)}]";
        }

        /// <summary>A recovering replica to all: I wait for others that stand against this instance, which so many agreed to unchanged.</summary>
        public sealed record Waiting(InstanceId Id, int Unchanged) : Message
        {
            public override string ToString() => $"Waiting {Id} {Unchanged}";
        }

        /// <summary>To whoever leads a ballot: I joined a higher one.</summary>
        public sealed record Nack(InstanceId Id, Ballot Joined) : Message
        {
            public override string ToString() => $"Nack {Id} {Joined}";
        }

        /// <summary>
        /// Replica to those that are elsewhere: everything up to here is executed, durably. With <paramref name="Asks"/> it wants to hear
        /// the same of the receiver.
        /// </summary>
        public sealed record Progress(Dependencies Executed, bool Asks) : Message
        {
            public override string ToString() => $"Progress {Executed}{(Asks ? "?" : "")}";
        }

        /// <summary>To a replica that is ahead: what was decided beyond this? It answers with Commits.</summary>
        public sealed record Fetch(Dependencies Committed) : Message
        {
            public override string ToString() => $"Fetch {Committed}";
        }
    }

    /// <summary>What is made durable. Recovery goes through them in order; a later one of an instance adds to an earlier one.</summary>
    public abstract record Record
    {
        private Record()
        {
        }

        /// <summary>Before PreAccept and PreAcceptOk leave. For the coordinator it also says that the number is used.</summary>
        public sealed record PreAccepted(InstanceId Id, Batch Batch, Dependencies InitialDeps, Dependencies Deps) : Record
        {
            public override string ToString() => $"PreAccepted {Id} {Deps} from {InitialDeps} {Batch}";
        }

        /// <summary>Before Recover and RecoverOk leave: no lower ballot is followed from now on.</summary>
        public sealed record Joined(InstanceId Id, Ballot Ballot) : Record
        {
            public override string ToString() => $"Joined {Id} {Ballot}";
        }

        /// <summary>Before Accept and AcceptOk leave.</summary>
        public sealed record Accepted(InstanceId Id, Ballot Ballot, Batch Batch, Dependencies Deps) : Record
        {
            public override string ToString() => $"Accepted {Id} {Ballot} {Deps} {Batch}";
        }

        /// <summary>Before Validate and ValidateOk leave: the command and its first dependencies.</summary>
        public sealed record Validated(InstanceId Id, Batch Batch, Dependencies InitialDeps) : Record
        {
            public override string ToString() => $"Validated {Id} {InitialDeps} {Batch}";
        }

        /// <summary>Before Commit and the client's answer leave: recovery takes a coordinator's silence for never having committed.</summary>
        public sealed record Committed(InstanceId Id, Batch Batch, Dependencies Deps) : Record
        {
            public override string ToString() => $"Committed {Id} {Deps} {Batch}";
        }

        /// <summary>At a checkpoint: the state, and what of it every replica has executed and dropped.</summary>
        public sealed record Saved(ReadOnlyMemory<byte> State) : Record
        {
            public override string ToString() => $"Saved {State.Length} bytes";
        }
    }

    /// <summary>What the floor above or the host asks of a replica.</summary>
    public abstract record Command
    {
        private Command()
        {
        }

        /// <summary>Execute this once, and answer with the result.</summary>
        public sealed record Invoke(ClientCommand Client) : Command
        {
            public override string ToString() => $"{Client}";
        }

        /// <summary>Its coordinator is believed to be gone: settle the instance. Never answered; a hint, on which only liveness rests.</summary>
        public sealed record Suspect(InstanceId Id) : Command
        {
            public override string ToString() => $"Suspect {Id}";
        }

        /// <summary>Never submitted: how executions are handed out, one for each instance that holds commands.</summary>
        public sealed record Apply(InstanceId Id, Batch Batch) : Command
        {
            public override string ToString() => $"{Id} {Batch}";
        }
    }

    /// <summary>How a command was answered.</summary>
    public abstract record Result
    {
        private Result()
        {
        }

        /// <summary>Executed, with everything before it.</summary>
        public sealed record Completed(ReadOnlyMemory<byte> Value) : Result
        {
            public override string ToString() => $"Completed {new Key(Value)}";
        }

        /// <summary>The session has executed a later number, so this one was executed before, or never will be.</summary>
        public sealed record Outdated : Result
        {
            public override string ToString() => "Outdated";
        }

        /// <summary>The bytes are no operation; nothing was proposed.</summary>
        public sealed record Malformed : Result
        {
            public override string ToString() => "Malformed";
        }

        /// <summary>More commands wait here than the options allow; nothing was proposed.</summary>
        public sealed record Overloaded : Result
        {
            public override string ToString() => "Overloaded";
        }
    }

    /// <summary>A replica's timers.</summary>
    public enum Timer
    {
        /// <summary>Repeats what got no answer, recovers what is overdue, and tells how far this replica is.</summary>
        Beat,
    }
}
