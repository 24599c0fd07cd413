using Synod.Core;
using Synod.Protocols.Gossip;
using Synod.Protocols.Tests.Commit;
using Xunit;
using static Synod.Protocols.Tests.Membership.Lone;

namespace Synod.Protocols.Tests.Membership;

using Message = Synod.Protocols.Gossip.Membership.Message;
using Record = Synod.Protocols.Gossip.Membership.Record;
using SyncKind = Synod.Protocols.Gossip.Membership.SyncKind;

/// <summary>The binary forms, and which way messages travel.</summary>
public sealed class WireTests
{
    private static readonly Synod.Protocols.Gossip.Membership.MessageWire s_wire = new();

    private static readonly Message[] s_messages =
    [
        new Message.Ping(B, 7),
        new Message.Ping(B, 300, Transport.Stream) { Updates = [Suspect(C, 1_800_000_000_000, B, D)] },
        new Message.Ack(long.MaxValue) { Updates = [Alive(B, 5, "127.0.0.1:7000", "tags")] },
        new Message.Ack(1, Transport.Stream),
        new Message.PingReq(C, 9),
        new Message.Nack(9),
        new Message.Gossip { Updates = [Dead(C, 3), Left(B, 200)] },
        new Message.Digest(ulong.MaxValue),
        new Message.Sync(SyncKind.Join),
        new Message.Sync(SyncKind.Push) { Updates = [Alive(B, 1), Suspect(C, 9, B) with { Description = MemberDescription.At("x"), Described = 4 }] },
        new Message.Sync(SyncKind.Reply),
    ];

    [Fact]
    public void Every_case_survives_its_binary_form_and_nothing_else_is_read()
    {
        WireChecks.All(s_wire, s_messages);
        WireChecks.All(new Synod.Protocols.Gossip.Membership.RecordWire(), new Record.Reserved(1L << 60));
    }

    [Fact]
    public void The_first_byte_says_how_a_message_travels()
    {
        foreach (var message in s_messages)
        {
            Assert.Equal(message.Transport, Synod.Protocols.Gossip.Membership.MessageWire.TransportOf(Bytes(message)));
            Assert.Equal(message is Message.Sync || message.ToString().Contains("by stream", StringComparison.Ordinal), message.Transport == Transport.Stream);
        }
    }

    [Fact]
    public void News_that_contradicts_itself_is_not_read()
    {
        Update[] unsound =
        [
            Suspect(B, 1),
            Dead(B, 0),
            Dead(B, 1) with { Accusers = [C] },
            Alive(B, 4) with { Described = 3 },
            Alive(B, 4) with { Description = null, Described = 0 },
            Alive(B, 4, new string('x', 129)),
            Alive(B, 4, tags: new string('x', 513)),
        ];
        foreach (var update in unsound)
        {
            var reader = new CodecReader(Bytes(new Message.Gossip { Updates = [update] }));
            Assert.True(s_wire.Read(ref reader) is null || !reader.IsComplete, $"{update}");
        }
    }

    private static byte[] Bytes(Message message)
    {
        var writer = new CodecWriter();
        s_wire.Write(writer, message);
        return writer.ToArray();
    }
}
