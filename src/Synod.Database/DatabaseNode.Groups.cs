using Synod.Core;
using Synod.Database.Directory;
using Synod.Database.Nodes;
using Synod.Database.Ranges;
using Synod.Protocols.Consensus;
using Synod.Storage.Mvcc;

namespace Synod.Database;

/// <summary>The groups of a node: stepping their consensus, and how replicas come to be.</summary>
public sealed partial class DatabaseNode
{
    private void Submit(RangeReplica replica, MultiPaxos.Command command)
    {
        replica.Paxos.Submit(Internal, command, _step.Context, _inner);
        Carry(replica);
    }

    /// <summary>Carries what a step of a group's consensus put out one floor up or out of the node.</summary>
    private void Carry(RangeReplica replica)
    {
        _step.Carry(new ConsensusFloor(replica.Group), _inner);
        foreach (var (slot, command) in _inner.Executions)
        {
            replica.OnExecuted(slot, ((MultiPaxos.Command.Propose)command).Value);
        }

        foreach (var (_, result, _) in _inner.Answers)
        {
            OnConsensusAnswer(replica, result);
        }

        _inner.Clear();
        _touched.Enqueue(replica);
    }

    private static void OnConsensusAnswer(RangeReplica replica, MultiPaxos.Result result)
    {
        switch (result)
        {
            case MultiPaxos.Result.LeaseHeld:
                replica.OnLeaseAnswer(null);
                break;
            case MultiPaxos.Result.Transferred:
                replica.OnTransferAnswer(true);
                break;
            case MultiPaxos.Result.Unavailable { Reason: UnavailableReason.TransferAbandoned }:
                replica.OnTransferAnswer(false);
                break;
            case MultiPaxos.Result.Unavailable u:
                replica.OnLeaseAnswer($"The range's leader cannot hold a lease now ({u.Reason}).");
                break;
        }
    }

    /// <summary>Hands on what has gathered since the last turn.</summary>
    private void Propose(RangeReplica replica)
    {
        while (replica.TryTakeProposal(out var value))
        {
            Submit(replica, new MultiPaxos.Command.Propose(value));
        }
    }

    /// <summary>Carries on until nothing that happened in this step has a consequence left.</summary>
    private void Settle()
    {
        HearGossip();
        while (_touched.TryDequeue(out var replica))
        {
            if (replica.ApplyReady() is { } splits)
            {
                splits.ForEach(OnSplit);
            }

            replica.UpdateLeader();
            if (replica.BecameLeader)
            {
                replica.BecameLeader = false;
                AnnounceLeader(replica);
            }
            else if (replica.HearsOfLeader())
            {
                OnLeads(new NodeMessage.Leads(replica.Group, replica.Paxos.Leader, replica.Paxos.Ballot));
            }

            if (replica.ProposalDue is { } due)
            {
                // Due now, it fires when the host's turn ends: what the turn's other steps propose is in the same slot.
                _step.Outbox.SetTimer(new TimerId((int)NodeTimer.Propose, (long)replica.Group), due);
            }

            if (replica.AsksForLease())
            {
                Submit(replica, new MultiPaxos.Command.AcquireLease());
            }

            if (replica.TakeTransfer() is { } to)
            {
                Submit(replica, new MultiPaxos.Command.Transfer(to));
            }

            _settled.Add(replica);
        }
    }

    /// <summary>Makes the replica of a group whose state is in the store, with what the log knows of it.</summary>
    private RangeReplica Open(ulong group)
    {
        var replica = new RangeReplica(group, _store, _step, _options, DrawGroup, Describe);
        _replicas.Add(group, replica);
        _directory.Merge(replica.State.Descriptor);
        _orphans.Remove(group, out var records);
        if (_checkpointBegun)
        {
            // The flush may have missed it: its part of the checkpoint is everything since now.
            replica.Paxos.BeginCheckpoint();
        }

        replica.Paxos.Recover(records ?? [], _step.Context, _inner);
        Carry(replica);
        return replica;
    }

    private void OnSplit(RangeCommand.Split split)
    {
        _directory.Merge(split.Parent);
        _directory.Merge(split.Child);
        var parent = _replicas[split.Parent.Group];
        if (!_options.Mutation.HasFlag(DatabaseMutation.SplitToBeLearnedAgain))
        {
            // Whoever counts on this replica of the child may outlive the parent's group, and with it all who know that there is a child.
            Submit(parent, new MultiPaxos.Command.KeepChosen());
        }

        // A child that is here was adopted, and has or awaits a state from after the split.
        if (!_replicas.ContainsKey(split.Child.Group) && IsOwn(split.Child))
        {
            OpenChild(split, parent);
        }

        Spread(new NodeMessage.Ranges([split.Parent, split.Child]));
    }

    private void OpenChild(RangeCommand.Split split, RangeReplica parent)
    {
        var child = Open(split.Child.Group);
        if (parent.Leader is not null)
        {
            // A round that begins now tells the others how far is chosen: without it they would make the new group, and whoever is to
            // lead it would find its quorum, only after the next heartbeat.
            Submit(parent, new MultiPaxos.Command.ReadIndex());
        }

        // Who led the span leads on where the preferred node has to come to know it first; leadership follows by and by.
        var leads = split.Parent.IsRetired ? parent.Leader is not null : split.Child.PreferredLeader == _options.Self;
        if (leads)
        {
            Submit(child, new MultiPaxos.Command.Campaign());
        }
    }

    /// <summary>Whether it is as this incarnation that the node is a member of the group.</summary>
    private bool IsOwn(RangeDescriptor range) => range.IncarnationOf(_options.Self) == _options.Incarnation;

    /// <summary>
    /// The replica of a group; or, if the directory says that this node should hold one and it missed the split that made the group,
    /// a new one without state, which then asks for a snapshot. While a local range still covers the keys, its own log will bring
    /// the split.
    /// </summary>
    private RangeReplica? FindOrAdopt(ulong group) => _replicas.TryGetValue(group, out var known) ? known : Adopt(group);

    private RangeReplica? Adopt(ulong group)
    {
        if (_directory.Find(group) is not { } range
            || !range.Replicas.Contains(_options.Self)
            || range.IsRetired
            || !IsOwn(range)
            || _replicas.Values.Any(replica => replica.State.Descriptor.Covers(range.Span)))
        {
            return null;
        }

        RangeState.Create(_store, range, new Slot(-1));
        return Open(group);
    }

    /// <summary>The groups whose replicas are in the store. Of one that is gone the name is there, and the log may not be cut yet.</summary>
    private List<ulong> StoredGroups()
    {
        var groups = new List<ulong>();
        using var cursor = _store.Seek(MetaKey.All);
        while (cursor.Next())
        {
            if (MetaKey.KindOf(cursor.Key) != RangeKeys.DescriptorKind)
            {
                continue;
            }

            var range = RangeKeys.ReadDescriptor(cursor.Value.ToArray());
            if (range.IsGone)
            {
                _directory.Merge(range);
                _orphans.Remove(range.Group);
            }
            else if (IsOwn(range))
            {
                groups.Add(range.Group);
            }
        }

        return groups;
    }

    private readonly struct ConsensusFloor(ulong group) : IFloor<MultiPaxos.Message, MultiPaxos.Record>
    {
        public NodeMessage Wrap(MultiPaxos.Message message) => new NodeMessage.Consensus(group, message);

        public NodeRecord Keep(MultiPaxos.Record record) => new NodeRecord.Consensus(group, record);

        public TimerId Name(TimerId timer) => new(timer.Kind + (int)NodeTimer.Consensus, (long)group);
    }

    /// <summary>
    /// Unique in the cluster: no other node has this id, no other start this epoch, no other draw this number. With its disk a node forgets
    /// how often it has started: each incarnation counts from a place of its own, as random as its number.
    /// </summary>
    private ulong DrawGroup()
    {
        var start = (uint)_boot + (_options.Mutation.HasFlag(DatabaseMutation.GroupsOfAFormerLife) ? 0 : (uint)_options.Incarnation);
        return (ulong)_options.Self.Value << 56 | (ulong)start << 24 | (ulong)(++_groupsDrawn & 0xff_ffff);
    }
}
