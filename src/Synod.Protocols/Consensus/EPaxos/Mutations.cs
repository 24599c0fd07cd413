using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Synod.Lab")]

namespace Synod.Protocols.Consensus;

/// <summary>Known mistakes, each a deviation at one guard, most of them published (epaxos.md §9). Only tests and hunts set them.</summary>
[Flags]
internal enum EPaxosMutation
{
    None = 0,

    /// <summary>A majority counts as a fast quorum; at seven replicas that is one too few.</summary>
    MajorityFastQuorum = 1 << 0,

    /// <summary>The ballot joined last is reported as the one in which the value was accepted.</summary>
    OneBallot = 1 << 1,

    /// <summary>Recovery of an accepted value takes the first dependencies instead of the accepted ones.</summary>
    LostDependency = 1 << 2,

    /// <summary>PreAcceptOk leaves before the record is durable.</summary>
    VolatilePreAccept = 1 << 3,

    /// <summary>AcceptOk leaves before the record is durable.</summary>
    VolatileAccept = 1 << 4,

    /// <summary>Commit and the answer leave before the record is durable.</summary>
    VolatileCommit = 1 << 5,

    /// <summary>Recovery proposes what may have been committed without asking what stands against it.</summary>
    NoValidate = 1 << 6,

    /// <summary>Recovery proposes although uncommitted instances stand against it.</summary>
    NoWaiting = 1 << 7,

    /// <summary>Replies that equal each other make the fast path, also if they differ from what was proposed.</summary>
    EqualRepliesSuffice = 1 << 8,

    /// <summary>An instance is executed after the latest dependency of each replica, not after all up to it.</summary>
    LatestDependencyOnly = 1 << 9,

    /// <summary>Dependencies that are not committed yet are not waited for.</summary>
    ExecutesBeforeClosure = 1 << 10,

    /// <summary>A replica that restarts begins with the first number again.</summary>
    NumbersReused = 1 << 11,

    /// <summary>Of a batch only the first command's keys count.</summary>
    FirstOfBatchOnly = 1 << 12,

    /// <summary>A retry is executed like a new command.</summary>
    RetriesExecuted = 1 << 13,

    /// <summary>Instances are dropped as soon as they are executed here.</summary>
    CollectsTooEarly = 1 << 14,

    /// <summary>RecoverOk leaves before the promise is durable.</summary>
    VolatileJoin = 1 << 15,

    /// <summary>Commands are proposed however many instances are not executed yet.</summary>
    UnboundedPipeline = 1 << 16,
}
