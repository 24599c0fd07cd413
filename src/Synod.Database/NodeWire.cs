using Synod.Core;
using Synod.Database.Directory;
using Synod.Database.Transactions;
using Synod.Protocols.Consensus;
using Synod.Protocols.Gossip;

namespace Synod.Database;

/// <summary>The binary form of messages between nodes.</summary>
public sealed class NodeMessageWire : IWire<NodeMessage>
{
    private readonly MultiPaxos.MessageWire _consensus = new();
    private readonly Membership.MessageWire _membership = new();
    private readonly Plumtree.MessageWire _rumors = new();
    private readonly Aggregation.MessageWire _averages = new();

    public void Write(CodecWriter w, NodeMessage value)
    {
        switch (value)
        {
            case NodeMessage.Consensus m:
                w.Byte(1);
                w.Fixed64(m.Group);
                _consensus.Write(w, m.Message);
                break;
            case NodeMessage.Heartbeat m:
                w.Byte(2);
                w.Fixed64(m.DirectoryVersions);
                w.Fixed64(m.Incarnation);
                break;
            case NodeMessage.Ranges m:
                w.Byte(3);
                w.Unsigned((ulong)m.Known.Count);
                foreach (var range in m.Known)
                {
                    range.Write(w);
                }

                break;
            case NodeMessage.Leads m:
                w.Byte(4);
                w.Fixed64(m.Group);
                w.Node(m.Leader);
                w.Ballot(m.Term);
                break;
            case NodeMessage.Prepare m:
                Header(w, 5, m);
                w.Age(m.Age);
                w.Fixed64(m.Coordinator);
                w.Ballot(m.ReadTerm);
                w.Writes(m.Writes);
                break;
            case NodeMessage.Vote m:
                Header(w, 6, m);
                w.Fixed64(m.Participant);
                w.Bool(m.Yes);
                w.Promise(m.Promise);
                break;
            case NodeMessage.Resolve m:
                Header(w, 7, m);
                w.Fixed64(m.Coordinator);
                w.Outcome(m.Outcome);
                break;
            case NodeMessage.Resolved m:
                Header(w, 8, m);
                w.Fixed64(m.Participant);
                break;
            case NodeMessage.Inquire m:
                Header(w, 9, m);
                w.Fixed64(m.Participant);
                break;
            case NodeMessage.QueryPrepare m:
                Header(w, 10, m);
                w.Fixed64(m.Coordinator);
                break;
            case NodeMessage.Prevented m:
                Header(w, 11, m);
                w.Fixed64(m.Participant);
                break;
            case NodeMessage.Membership m:
                w.Byte(12);
                _membership.Write(w, m.Message);
                break;
            case NodeMessage.Rumor m:
                w.Byte(13);
                _rumors.Write(w, m.Message);
                break;
            case NodeMessage.Average m:
                w.Byte(14);
                _averages.Write(w, m.Message);
                break;
            case NodeMessage.AskState m:
                w.Byte(15);
                w.Fixed64(m.Group);
                break;
            case NodeMessage.HasState m:
                w.Byte(16);
                w.Fixed64(m.Group);
                w.Fixed64(m.Incarnation);
                break;
        }
    }

    public NodeMessage? Read(ref CodecReader r)
    {
        var kind = r.Byte();
        switch (kind)
        {
            case 1:
                var consensusGroup = r.Fixed64();
                return _consensus.Read(ref r) is { } inner ? new NodeMessage.Consensus(consensusGroup, inner) : null;
            case 2:
                var versions = r.Fixed64();
                return new NodeMessage.Heartbeat(versions, r.Fixed64());
            case 3:
                var known = new RangeDescriptor[r.Count()];
                for (var i = 0; i < known.Length && !r.Failed; i++)
                {
                    known[i] = RangeDescriptor.Read(ref r);
                }

                return new NodeMessage.Ranges(known);
            case 4:
                var led = r.Fixed64();
                var leader = r.Node();
                return new NodeMessage.Leads(led, leader, r.Ballot());
            case 12:
                return _membership.Read(ref r) is { } membership ? new NodeMessage.Membership(membership) : null;
            case 13:
                return _rumors.Read(ref r) is { } rumor ? new NodeMessage.Rumor(rumor) : null;
            case 14:
                return _averages.Read(ref r) is { } average ? new NodeMessage.Average(average) : null;
            case 15:
                return new NodeMessage.AskState(r.Fixed64());
            case 16:
                var held = r.Fixed64();
                return new NodeMessage.HasState(held, r.Fixed64());
        }

        var group = r.Fixed64();
        var id = r.Transaction();
        switch (kind)
        {
            case 5:
                var age = r.Age();
                var coordinator = r.Fixed64();
                var term = r.Ballot();
                return new NodeMessage.Prepare(group, id, age, coordinator, term, r.Writes());
            case 6:
                var participant = r.Fixed64();
                var yes = r.Bool();
                return new NodeMessage.Vote(group, id, participant, yes, r.Promise());
            case 7:
                var decidedBy = r.Fixed64();
                return new NodeMessage.Resolve(group, id, decidedBy, r.Outcome());
            case 8:
                return new NodeMessage.Resolved(group, id, r.Fixed64());
            case 9:
                return new NodeMessage.Inquire(group, id, r.Fixed64());
            case 10:
                return new NodeMessage.QueryPrepare(group, id, r.Fixed64());
            case 11:
                return new NodeMessage.Prevented(group, id, r.Fixed64());
            default:
                return null;
        }
    }

    private static void Header(CodecWriter w, byte kind, NodeMessage.ToLeader message)
    {
        w.Byte(kind);
        w.Fixed64(message.Group);
        w.Transaction(message.Id);
    }
}

/// <summary>The binary form of a node's durable records.</summary>
public sealed class NodeRecordWire : IWire<NodeRecord>
{
    private readonly MultiPaxos.RecordWire _consensus = new();
    private readonly Membership.RecordWire _membership = new();
    private readonly RumorRecordWire _rumors = new();
    private readonly Aggregation.RecordWire _averages = new();

    public void Write(CodecWriter w, NodeRecord value)
    {
        switch (value)
        {
            case NodeRecord.Consensus r:
                w.Byte(1);
                w.Fixed64(r.Group);
                _consensus.Write(w, r.Record);
                break;
            case NodeRecord.Boot r:
                w.Byte(2);
                w.Signed(r.Epoch);
                break;
            case NodeRecord.Membership r:
                w.Byte(3);
                _membership.Write(w, r.Record);
                break;
            case NodeRecord.Rumor r:
                w.Byte(4);
                _rumors.Write(w, r.Record);
                break;
            case NodeRecord.Average r:
                w.Byte(5);
                _averages.Write(w, r.Record);
                break;
            case NodeRecord.Met r:
                w.Byte(6);
                w.Node(r.Node.Id);
                w.String(r.Node.ClientAddress);
                w.String(r.Node.Address);
                break;
        }
    }

    public NodeRecord? Read(ref CodecReader r)
    {
        switch (r.Byte())
        {
            case 1:
                var group = r.Fixed64();
                return _consensus.Read(ref r) is { } inner ? new NodeRecord.Consensus(group, inner) : null;
            case 2:
                return new NodeRecord.Boot(r.Signed());
            case 3:
                return _membership.Read(ref r) is { } membership ? new NodeRecord.Membership(membership) : null;
            case 4:
                return _rumors.Read(ref r) is { } rumor ? new NodeRecord.Rumor(rumor) : null;
            case 6:
                return new NodeRecord.Met(new NodeDescriptor(r.Node(), r.String(), r.String()));
            case 5:
                return _averages.Read(ref r) is { } average ? new NodeRecord.Average(average) : null;
            default:
                return null;
        }
    }
}
