using System.Collections.Immutable;
using Synod.Core;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Worlds;

using Message = Pbft.Message;

/// <summary>The catalogue of pbft.md §7: what a Byzantine replica may say instead of what a correct one would.</summary>
internal sealed class PbftLiars(Quartet group, NodeId self)
{
    private static readonly Digest s_false = Digest.Of("false"u8);

    /// <summary>Half of the others, those with even numbers: whom two-faced replicas deceive.</summary>
    private readonly NodeSet _deceived = NodeSet.Of([.. group.Group.Replicas.Where(node => node.Value % 2 == 0)]);

    public static readonly string[] Names =
    [
        "silent", "selective", "two-faced", "wrong digests", "double votes", "forged votes", "false checkpoints", "empty new views",
        "null new views",
        "unproven claims", "eager view changes", "replays", "false states", "false replies", "votes without proposals", "damaged codes",
        "two-faced votes", "invented requests", "repeated requests", "late reads", "deaf", "everything",
    ];

    public Adversary<Message> Named(string name) => name switch
    {
        "silent" => Adversary.Silent<Message>(),
        "selective" => Adversary.Selective<Message>(group.Group.Members.Without(group.Group.Replicas.Last(node => node != self))),
        "two-faced" => new TwoFaced(group, self, _deceived),
        "two-faced votes" => new TwoFaced(group, self, _deceived, votes: true),
        "invented requests" => Often(Lie((_, m) => [m is Message.PrePrepare p ? Instead(p, new(Quartet.X, 900, Key.Of("n+").Memory, default)) : m])),
        "repeated requests" => Repeating(),
        "late reads" => new LateReads(group, self),
        "deaf" => new Deaf(),
        "wrong digests" => Often(Lie((_, m) => [Altered(m)])),
        "double votes" => Often(Lie((_, m) => [m, Altered(m), m])),
        "forged votes" => Often(Lie((_, m) => [m, .. Forged(m)])),
        "false checkpoints" => Lie((_, m) => [m is Message.Checkpoint c ? group.Checkpoint(self, c.Slot.Value, s_false) : m]),
        "empty new views" => Lie((_, m) => [m is Message.NewView n ? group.NewView(self, n.View, n.ViewChanges) : m]),
        "null new views" => Lie((_, m) => [m is Message.NewView n
            ? group.NewView(self, n.View, n.ViewChanges, [.. n.Proposals.Select(item => (item.Slot.Value, Digest.None))])
            : m]),
        "unproven claims" => Lie((_, m) => [m is Message.ViewChange c ? Claiming(c) : m]),
        "eager view changes" => Adversary.Provoked<Message>((_, m) => m is Message.Commit c
            ? group.Group.Members.Without(self).Select(to => (to, (Message)group.ViewChange(self, c.View + 1)))
            : []),
        "replays" => Often(Adversary.Replaying(new Pbft.MessageWire(), 8)),
        "false states" => Lie((_, m) => [m switch
        {
            Message.StateChunk c => c with { Content = Garbage(c.Content.Length) },
            Message.BatchFound => new Message.BatchFound(group.Batch("x=13")),
            Message.Decided d => new Message.Decided(d.Slot, group.Batch("x=13")),
            _ => m,
        }]),
        "false replies" => Lie((_, m) => [m is Message.Reply r ? r with { Result = Counters.Bytes("13") } : m]),
        "votes without proposals" => Adversary.Provoked<Message>((from, m) => m is Message.PrePrepare p && from == group.Group.PrimaryOf(p.View)
            ? Unasked(from, p)
            : []),
        "damaged codes" => Lie((to, m) => [_deceived.Contains(to) ? Damaged(m) : m]),
        _ => Adversary.Moody([.. Names.SkipLast(1).Select(Named), Honest(), Honest(), Honest()]),
    };

    private static Adversary<Message> Lie(Func<NodeId, Message, IEnumerable<Message>> lie) => Adversary.Lying(lie);

    private static Adversary<Message> Honest() => Lie((_, m) => [m]);

    private static Adversary<Message> Often(Adversary<Message> lying) => Adversary.Moody(lying, Honest());

    private static ReadOnlyMemory<byte> Garbage(int length)
    {
        var bytes = new byte[length];
        bytes.AsSpan().Fill(0x55);
        return bytes;
    }

    private Message Altered(Message message) => message switch
    {
        Message.Prepare m => group.Prepare(self, m.View, m.Slot.Value, s_false),
        Message.Commit m => group.Commit(self, m.View, m.Slot.Value, s_false),
        Message.PrePrepare m => m with { Digest = s_false },
        _ => message,
    };

    /// <summary>The same votes in the name of others, under signatures of its own.</summary>
    private IEnumerable<Message> Forged(Message message) => message switch
    {
        Message.Prepare m => [m with { View = m.View + 1 }, m with { Slot = m.Slot.Next }, m with { Digest = s_false }],
        Message.Commit m => [m with { View = m.View + 1 }, m with { Slot = m.Slot.Next }, m with { Digest = s_false }],
        Message.ViewChange m => [m with { View = m.View + 1 }],
        Message.NewView m => [m with { Proposals = [] }],
        Message.Checkpoint m => [m with { State = s_false }],
        _ => [],
    };

    private Message.ViewChange Claiming(Message.ViewChange m)
    {
        var slot = m.Stable.Slot.Value + 1;
        var claim = new Pbft.Prepared(m.View - 1, new Slot(slot), s_false, default, []);
        return group.Signed(m with
        {
            Prepared = [claim, .. m.Prepared.Where(item => item.Slot.Value > slot)],
            PrePrepared = group.Options.UsesCodes
                ? [new(m.View - 1, new Slot(slot), s_false), .. m.PrePrepared.Where(item => (item.View, item.Slot.Value) != (m.View - 1, slot))]
                : [],
        });
    }

    private IEnumerable<(NodeId, Message)> Unasked(NodeId from, Message.PrePrepare m) =>
    [
        (from, group.Prepare(self, m.View, m.Slot.Value + 1, s_false)),
        (from, group.Commit(self, m.View, m.Slot.Value + 1, s_false)),
        (from, group.Commit(self, m.View, m.Slot.Value, m.Digest)),
        (from, group.PrePrepare(self, m.View, m.Slot.Value, m.Batch)),
    ];

    private Message Instead(Message.PrePrepare m, Pbft.SignedRequest request) =>
        group.PrePrepare(self, m.View, m.Slot.Value, new Pbft.Batch([request]));

    /// <summary>Every other proposal is of a request that was proposed before.</summary>
    private Adversary<Message> Repeating()
    {
        var seen = new List<Pbft.SignedRequest>();
        return Lie((_, m) =>
        {
            if (m is not Message.PrePrepare p)
            {
                return [m];
            }

            seen.AddRange(p.Batch.Requests.Where(request => !seen.Contains(request)));
            return [p.Slot.Value % 2 == 0 ? Instead(p, seen[(int)(p.Slot.Value / 2) % seen.Count]) : m];
        });
    }

    private static Message Damaged(Message message) => message switch
    {
        Message.PrePrepare m => m with { Authenticator = Damaged(m.Authenticator) },
        Message.Prepare m => m with { Authenticator = Damaged(m.Authenticator) },
        Message.Commit m => m with { Authenticator = Damaged(m.Authenticator) },
        _ => message,
    };

    private static Pbft.Authenticator Damaged(Pbft.Authenticator authenticator) =>
        authenticator is Pbft.Authenticator.Coded coded
            ? new Pbft.Authenticator.Coded([.. coded.Codes.Select(code => new Mac(code.Value + 1))])
            : new Pbft.Authenticator.Signed(default);

    /// <summary>
    /// A primary that gives a slot to one batch before some backups and to another before the rest, and confirms to each what it told
    /// it. Both batches consist of requests that clients signed.
    /// </summary>
    private sealed class TwoFaced(Quartet group, NodeId self, NodeSet deceived, bool votes = false) : Adversary<Message>
    {
        private readonly List<Message> _seen = [];
        private readonly SortedDictionary<Slot, Digest> _told = [];

        public override bool OnReceive(NodeId from, Message message, StepContext context, Action<NodeId, Message> send)
        {
            if (message is Message.Request)
            {
                _seen.Add(message);
                if (_seen.Count > 4)
                {
                    _seen.RemoveAt(0);
                }
            }

            return true;
        }

        public override void OnSend(NodeId to, Message message, StepContext context, Action<NodeId, Message> send)
        {
            var told = deceived.Contains(to) ? OtherStory(message) : message;
            send(to, told);
            if (votes && told is Message.PrePrepare m)
            {
                send(to, group.Prepare(self, m.View, m.Slot.Value, m.Digest));
            }
        }

        public override void State(StateVisitor visitor)
        {
            visitor.Visit("seen", _seen, static (v, ref m) => v.Visit("", ref m, new Pbft.MessageWire()));
            visitor.Visit(
                "told",
                _told,
                static (v, ref slot) => v.Visit("", ref slot),
                static (v, ref digest) => v.Visit("", ref digest, DigestWire.Instance));
        }

        private Message OtherStory(Message message)
        {
            switch (message)
            {
                case Message.PrePrepare m:
                    var other = _seen.OfType<Message.Request>().Select(item => item.Signed)
                        .FirstOrDefault(item => !m.Batch.Requests.Contains(item));
                    ImmutableArray<Pbft.SignedRequest> requests = other is null ? [.. m.Batch.Requests.Reverse()] : [other];
                    var batch = new Pbft.Batch(requests);
                    _told[m.Slot] = batch.Digest;
                    return group.PrePrepare(self, m.View, m.Slot.Value, batch);
                case Message.Commit m when _told.TryGetValue(m.Slot, out var told):
                    return group.Commit(self, m.View, m.Slot.Value, told);
                case Message.Prepare m when _told.TryGetValue(m.Slot, out var told):
                    return group.Prepare(self, m.View, m.Slot.Value, told);
                default:
                    return message;
            }
        }
    }

    /// <summary>Answers each read with what it would have answered to the last one of the same counter.</summary>
    private sealed class LateReads(Quartet group, NodeId self) : Adversary<Message>
    {
        private readonly SortedDictionary<Key, ReadOnlyMemory<byte>> _known = [];

        public override bool OnReceive(NodeId from, Message message, StepContext context, Action<NodeId, Message> send)
        {
            if (message is not Message.Read { Signed: var read })
            {
                return true;
            }

            var (counter, now) = (new Key(read.Operation), group.Services[self].Read(from, read.Operation));
            send(from, new Message.Reply(0, read.Timestamp, IsRead: true, _known.GetValueOrDefault(counter, now)));
            _known[counter] = now;
            return false;
        }

        public override void State(StateVisitor visitor) => visitor.Visit(
            "known",
            _known,
            static (v, ref counter) =>
            {
                var bytes = counter.Memory;
                v.Visit("", ref bytes);
                counter = new Key(bytes);
            },
            static (v, ref value) => v.Visit("", ref value));
    }

    /// <summary>Hears nothing of some clients' requests, whoever brings them, and serves the others.</summary>
    private sealed class Deaf : Adversary<Message>
    {
        public override bool OnReceive(NodeId from, Message message, StepContext context, Action<NodeId, Message> send) =>
            message is not Message.Request request || request.Signed.Client.Value % 2 == 0;
    }
}
