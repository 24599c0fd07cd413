using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>
/// Tables are compared now and then, by digest first: what gossip missed is repaired, and a healed partition grows together (gossip.md
/// §2.5). While news is under way tables differ as a matter of course, and nobody sends a whole one for that.
/// </summary>
public sealed partial class Membership
{
    /// <summary>News may put a comparison off so often: where something always happens, repairs are due all the same.</summary>
    private const int MostSkips = 2;

    private int _skips;
    private Instant _nextPush;

    private void CompareTables(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_standing != Standing.Member)
        {
            return;
        }

        outbox.SetTimer(ToTimer(Timer.Sync), context.Now + _options.SyncInterval);
        if ((_news.Count > 0 && _skips++ < MostSkips) || _options.Mutation == MembershipMutation.TablesNotCompared)
        {
            return;
        }

        _skips = 0;
        var peer = DrawOne(context);
        if (peer != NodeId.None)
        {
            Tell(peer, new Message.Digest(_table.Digest) { Updates = Pack(peer) }, outbox);
        }
    }

    /// <summary>
    /// One of the dead, or a seed that is no member here, is told of this node's table: if it lives on the other side of what was a
    /// partition, it answers, and hears that it is taken for dead.
    /// </summary>
    private void ContactTheMissing(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_standing != Standing.Member)
        {
            return;
        }

        outbox.SetTimer(ToTimer(Timer.Contact), context.Now + _options.ContactInterval);
        if (_options.Mutation == MembershipMutation.DeadForgotten)
        {
            return;
        }

        List<NodeId> missing = [];
        foreach (var member in _gone.Keys)
        {
            if (MemberKey.Status(_table.KeyAt(_table.Find(member))) == MemberStatus.Dead)
            {
                missing.Add(member);
            }
        }

        foreach (var seed in _options.Seeds)
        {
            if (seed != _self && _table.Find(seed) < 0)
            {
                missing.Add(seed);
            }
        }

        if (missing.Count > 0)
        {
            var peer = missing[context.Choose(missing.Count)];
            Tell(peer, new Message.Digest(_table.Digest) { Updates = Pack(peer) }, outbox);
        }
    }

    private void On(NodeId from, Message.Digest digest, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_standing != Standing.Member)
        {
            outbox.Refuse(Refusal.NotReady);
            return;
        }

        var isKnown = _table.Find(from) is >= 0 and var place && _table.IsLive(place);
        Merge(from, digest.Updates, context, outbox);
        if (digest.Sum == _table.Digest || (isKnown && _news.Count > 0 && _skips < MostSkips))
        {
            return;
        }

        if (context.Now < _nextPush)
        {
            // A whole table takes a while: not more than one in a period, whoever asks.
            outbox.Refuse(Refusal.NotReady);
            return;
        }

        _nextPush = context.Now + _options.Period;
        SendTable(from, SyncKind.Push, outbox);
    }

    private void On(NodeId from, Message.Sync sync, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        _claim = MemberKey.Absent;
        MergeTable(from, sync.Updates, context, outbox);
        if (sync.Kind != SyncKind.Reply)
        {
            SendTable(from, SyncKind.Reply, outbox);
        }
        else if (_standing == Standing.Outside)
        {
            Decide(context, outbox);
            if (_standing == Standing.Member)
            {
                // Whoever told this node about the others is the first to hear of it, over a stream.
                SendTable(from, SyncKind.Push, outbox);
            }
        }
    }

    /// <summary>
    /// Takes over rows. One that says Dead of a member that is alive here is taken for an accusation only: the member may live on this side of
    /// a partition, and refutes. Either way the table rises to what was told, or above.
    /// </summary>
    private void MergeTable(
        NodeId from, ImmutableArray<Update> rows, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (ref readonly var row in rows.AsSpan())
        {
            var place = row.Member == _self ? -1 : _table.Find(row.Member);
            if (row.Status > MemberStatus.Suspect && place < 0 && row.Member != _self)
            {
                continue;
            }

            if (row.Status == MemberStatus.Dead && place >= 0 && MemberKey.Status(_table.KeyAt(place)) == MemberStatus.Alive)
            {
                Merge(from, row with { Status = MemberStatus.Suspect, Accusers = [from] }, context, outbox);
            }
            else
            {
                Merge(from, row, context, outbox);
            }
        }
    }

    private void SendTable(NodeId to, SyncKind kind, Outbox<Message, Record, Command, Result> outbox)
    {
        var rows = ImmutableArray.CreateBuilder<Update>(_table.Known);
        for (var place = 0; place < _table.Places; place++)
        {
            if (_table.KeyAt(place) != MemberKey.Absent)
            {
                rows.Add(ToUpdate(place, true));
            }
        }

        Tell(to, new Message.Sync(kind) { Updates = rows.ToImmutable() }, outbox);
    }

    /// <summary>A member is gone: it is remembered for a while, so that older news does not bring it back.</summary>
    private void Bury(NodeId member, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        _gone[member] = context.Now;
        var retention = _options.Mutation == MembershipMutation.ReclaimedAtOnce ? _options.Period : _options.DeadRetention;
        if (_gone.Count == 1)
        {
            outbox.SetTimer(ToTimer(Timer.Reclaim), context.Now + retention);
        }
    }

    private void Reclaim(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var retention = _options.Mutation == MembershipMutation.ReclaimedAtOnce ? _options.Period : _options.DeadRetention;
        NodeId[] due = [.. _gone.Where(item => item.Value + retention <= context.Now).Select(item => item.Key)];
        foreach (var member in due)
        {
            _gone.Remove(member);
            _news.Remove(member);
            _table.Remove(_table.Find(member));
            Emit(new Command.Reclaimed(member), outbox);
        }

        if (_gone.Count > 0)
        {
            outbox.SetTimer(ToTimer(Timer.Reclaim), _gone.Values.Min() + retention);
        }
    }
}
