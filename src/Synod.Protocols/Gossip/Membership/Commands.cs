using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Gossip;

public sealed partial class Membership
{
    /// <summary>
    /// What a host submits (<see cref="Join"/>, <see cref="Describe"/>, <see cref="Leave"/>), and what it is told: the others come out of
    /// <c>Outbox.Execute</c>, numbered from 1 since the process started.
    /// </summary>
    public abstract record Command
    {
        /// <summary>Become a member by way of any of these. Answered with <see cref="Result.Joined"/> or <see cref="Result.NameTaken"/>.</summary>
        public sealed record Join(ImmutableArray<NodeId> Contacts) : Command
        {
            public override string ToString() => $"Join by {string.Join(",", Contacts)}";
        }

        /// <summary>Say something else of this node from now on.</summary>
        public sealed record Describe(MemberDescription Description) : Command
        {
            public override string ToString() => $"Describe {Description}";
        }

        /// <summary>Say goodbye. Answered with <see cref="Result.Gone"/> when it was told often enough, or nobody is there to hear it.</summary>
        public sealed record Leave : Command
        {
            public override string ToString() => "Leave";
        }

        /// <summary>Event: this node believes something else of a member than before, or knows another description of it.</summary>
        public sealed record Changed(Member Member) : Command
        {
            public override string ToString() => $"{Member}";
        }

        /// <summary>Event: a dead member was forgotten.</summary>
        public sealed record Reclaimed(NodeId Member) : Command
        {
            public override string ToString() => $"Reclaimed {Member}";
        }

        /// <summary>Event: two processes go by the name <paramref name="Member"/>. The one at <paramref name="Holder"/> has it.</summary>
        public sealed record NameTaken(NodeId Member, MemberDescription Holder, MemberDescription Refused) : Command
        {
            public override string ToString() => $"NameTaken {Member}: {Holder} has it, not {Refused}";
        }
    }

    /// <summary>What a submitted command is answered with.</summary>
    public abstract record Result
    {
        /// <summary>This node is a member under this incarnation.</summary>
        public sealed record Joined(long Incarnation) : Result
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Joined@{Incarnation}");
        }

        /// <summary>Somebody else is alive under this node's name. It joins by itself once that one is dead or has left.</summary>
        public sealed record NameTaken(MemberDescription Holder) : Result
        {
            public override string ToString() => $"NameTaken by {Holder}";
        }

        /// <summary>Described from this incarnation on.</summary>
        public sealed record Described(long Incarnation) : Result
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Described@{Incarnation}");
        }

        /// <summary>Others know that this node left.</summary>
        public sealed record Gone : Result
        {
            public override string ToString() => "Gone";
        }

        /// <summary>Not now, or not such a thing.</summary>
        public sealed record Refused : Result
        {
            public override string ToString() => "Refused";
        }
    }
}
