using Synod.Core;

namespace Synod.Protocols.Consensus;

public sealed partial class EPaxos
{
    /// <summary>What a replica knows of one instance (epaxos.md §3).</summary>
    private sealed class Instance
    {
        public InstanceId Id;

        /// <summary>The position of its first coordinator in every vector.</summary>
        public int Column;

        public Phase Phase;

        /// <summary>The highest ballot joined; none is the first coordinator's.</summary>
        public Ballot Joined;

        /// <summary>The ballot of the accepted value: never that of a mere promise (§9.1).</summary>
        public Ballot Accepted;

        /// <summary>The highest ballot heard of, so that the next own one exceeds it.</summary>
        public Ballot Seen;

        /// <summary>The command; an instance has no other, and if not this then the Nop is decided. Null while unknown.</summary>
        public Batch? Payload;

        /// <summary>Whether the accepted or decided value is the Nop.</summary>
        public bool IsNop;

        /// <summary>Of the preaccepted, accepted or decided value.</summary>
        public Dependencies? Deps;

        /// <summary>As the first coordinator proposed them.</summary>
        public Dependencies? InitialDeps;

        public bool IsExecuted;

        /// <summary>When this replica loses patience.</summary>
        public Instant Deadline;

        /// <summary>The most replicas that a waiting recovery of this found to have agreed to it unchanged.</summary>
        public int WaitingUnchanged;

        /// <summary>The ballot that this replica leads here, if any.</summary>
        public Leading? Leading;

        /// <summary>Of the own clients, one for each command; null elsewhere.</summary>
        public RequestId[]? Requests;

        /// <summary>What the payload touches; follows from it.</summary>
        public Touch[] Touches = [];

        /// <summary>Committed instances that cannot be executed before this is committed; follows from the rest.</summary>
        public readonly List<Instance> Waiters = [];

        // The search that visits this now, if Search is its number.
        public int Search;
        public int Index;
        public int LowLink;
        public bool IsOnStack;

        public bool IsCommitted => Phase == Phase.Committed;

        /// <summary>The value that Phase speaks of.</summary>
        public Batch? Value => IsNop ? Batch.Nop : Payload;

        /// <summary>Whether <paramref name="id"/> is among these dependencies, provided that it interferes.</summary>
        public static bool Contains(Dependencies deps, Instance id) => id.Id.Number <= deps[id.Column];

        public void State(StateVisitor visitor)
        {
            var (replica, number) = Id;
            visitor.Visit("id", ref replica);
            visitor.Visit(".", ref number);
            Id = new InstanceId(replica, number);
            visitor.VisitEnum("phase", ref Phase);
            visitor.Visit("joined", ref Joined);
            visitor.Visit("accepted", ref Accepted);
            visitor.Visit("seen", ref Seen);
            VisitOptional(visitor, "payload", ref Payload, BatchWire.Instance);
            visitor.Visit("nop", ref IsNop);
            VisitOptional(visitor, "deps", ref Deps, DependenciesWire.Instance);
            VisitOptional(visitor, "initial", ref InitialDeps, DependenciesWire.Instance);
            visitor.Visit("executed", ref IsExecuted);
            visitor.Visit("deadline", ref Deadline);
            visitor.Visit("waitingUnchanged", ref WaitingUnchanged);
            var (leads, asked) = (Leading is not null, Requests?.Length ?? 0);
            visitor.Visit("leads", ref leads);
            visitor.Visit("asked", ref asked);
            if (visitor.IsReading)
            {
                Leading = leads ? new Leading() : null;
                Requests = asked > 0 ? new RequestId[asked] : null;
            }

            Leading?.State(visitor);
            for (var index = 0; index < asked; index++)
            {
                var request = Requests![index].Value;
                visitor.Visit("request", ref request);
                Requests[index] = new RequestId(request);
            }
        }
    }

    /// <summary>What the leader of a ballot does for an instance.</summary>
    private enum Stage
    {
        PreAccepting,
        Accepting,
        Recovering,
        Validating,
        Waiting,
    }

    /// <summary>A ballot of one instance that this replica leads. Lost in a crash: the first coordinator's goes on, others begin anew.</summary>
    private sealed class Leading
    {
        public Ballot Ballot;
        public Stage Stage;

        /// <summary>Whose answers of this stage count, the own included: its record is durable before any other's answer can come.</summary>
        public NodeSet Replied;

        /// <summary>PreAcceptOks with the dependencies as proposed.</summary>
        public int Equal;

        /// <summary>The union of what was answered; later the dependencies to decide on.</summary>
        public Dependencies? Deps;

        /// <summary>How many beats this stage has lasted.</summary>
        public int Beats;

        // Recovery: the quorum, its answer, and what stands against the command.
        public NodeSet Quorum;
        public int Unchanged;
        public Report Best;
        public List<Conflict> Conflicts = [];

        public void State(StateVisitor visitor)
        {
            visitor.Visit("ballot", ref Ballot);
            visitor.VisitEnum("stage", ref Stage);
            visitor.Visit("replied", ref Replied);
            visitor.Visit("equal", ref Equal);
            VisitOptional(visitor, "union", ref Deps, DependenciesWire.Instance);
            visitor.Visit("beats", ref Beats);
            visitor.Visit("quorum", ref Quorum);
            visitor.Visit("unchanged", ref Unchanged);
            Best.State(visitor);
            visitor.Visit("conflicts", Conflicts, VisitConflict);
        }

        private static void VisitConflict(StateVisitor visitor, ref Conflict conflict)
        {
            var ((replica, number), committed) = conflict;
            visitor.Visit("", ref replica);
            visitor.Visit("", ref number);
            visitor.Visit("", ref committed);
            conflict = new Conflict(new InstanceId(replica, number), committed);
        }
    }

    /// <summary>The answers to Recover, as far as they matter: the accepted value of the highest ballot, and the first proposal.</summary>
    private struct Report
    {
        public bool IsAccepted;
        public Ballot Accepted;
        public Batch? Value;
        public Dependencies? Deps;
        public Batch? Payload;
        public Dependencies? InitialDeps;

        public void State(StateVisitor visitor)
        {
            visitor.Visit("isAccepted", ref IsAccepted);
            visitor.Visit("acceptedIn", ref Accepted);
            VisitOptional(visitor, "value", ref Value, BatchWire.Instance);
            VisitOptional(visitor, "valueDeps", ref Deps, DependenciesWire.Instance);
            VisitOptional(visitor, "proposed", ref Payload, BatchWire.Instance);
            VisitOptional(visitor, "proposedDeps", ref InitialDeps, DependenciesWire.Instance);
        }
    }
}
