using CsCheck;
using Synod.Core;

namespace Synod.Node.Tests;

/// <summary>What a packet lets in: each message once, from whoever has a key, and nothing else.</summary>
public sealed class PacketTests
{
    private const string Cluster = "packets";
    private const ulong Session = 1_000;

    private static readonly string s_key = ClusterKeys.Draw();
    private static readonly NodeId s_sender = new(2);
    private static readonly byte[] s_message = [1, 2, 3, 4, 5];

    [Fact]
    public void A_sealed_message_opens_once()
    {
        using var sealer = Sealer();
        using var opener = Opener();
        var packet = Seal(sealer);
        Assert.Equal((PacketFault.None, s_sender), Open(opener, packet));
        Assert.Equal(PacketFault.Replayed, Open(opener, packet).Fault);
        Assert.Equal(PacketFault.None, Open(opener, Seal(sealer)).Fault);
    }

    [Fact]
    public void However_packets_are_reordered_and_repeated_each_opens_at_most_once_and_a_near_one_does() =>
        Gen.Int[1, 100].Array[1, 300].Sample(order =>
        {
            using var sealer = Sealer();
            using var opener = Opener();
            byte[][] packets = [.. Enumerable.Range(0, 100).Select(_ => Seal(sealer))];
            HashSet<int> opened = [];
            var highest = 0;
            foreach (var number in order)
            {
                var isNew = opened.Add(number);
                var isNear = number > highest - 64;
                Assert.Equal(isNew && isNear ? PacketFault.None : PacketFault.Replayed, Open(opener, packets[number - 1]).Fault);
                highest = Math.Max(highest, number);
            }
        });

    [Fact]
    public void A_flipped_bit_anywhere_is_refused() => Gen.Int[0, (Packet.HeaderLength + 5 + Packet.TagLength) * 8 - 1].Sample(bit =>
    {
        using var sealer = Sealer();
        using var opener = Opener();
        var packet = Seal(sealer);
        packet[bit / 8] ^= (byte)(1 << bit % 8);
        Assert.NotEqual(PacketFault.None, Open(opener, packet).Fault);
        packet[bit / 8] ^= (byte)(1 << bit % 8);
        Assert.Equal(PacketFault.None, Open(opener, packet).Fault);
    });

    [Fact]
    public void Nothing_is_readable_on_the_way_and_no_two_packets_are_alike()
    {
        using var sealer = Sealer();
        var (first, second) = (Seal(sealer), Seal(sealer));
        Assert.NotEqual(s_message, first[Packet.HeaderLength..^Packet.TagLength]);
        Assert.NotEqual(first[Packet.HeaderLength..], second[Packet.HeaderLength..]);
    }

    [Fact]
    public void Another_key_and_another_cluster_are_foreign()
    {
        using var opener = Opener();
        using var stranger = new PacketSealer(new ClusterKeys(ClusterKeys.Draw()), Cluster, s_sender, Session);
        Assert.Equal(PacketFault.Forged, Open(opener, Seal(stranger)).Fault);
        using var foreigner = new PacketSealer(new ClusterKeys(s_key), "others", s_sender, Session);
        Assert.Equal(PacketFault.Forged, Open(opener, Seal(foreigner)).Fault);

        // Somebody who forges for a known sender neither gets in nor keeps the sender out.
        using var sealer = Sealer();
        Assert.Equal(PacketFault.None, Open(opener, Seal(sealer)).Fault);
        Assert.Equal(PacketFault.Forged, Open(opener, Seal(stranger, 2)).Fault);
        using var later = new PacketSealer(new ClusterKeys(ClusterKeys.Draw()), Cluster, s_sender, Session + 1);
        Assert.Equal(PacketFault.Forged, Open(opener, Seal(later)).Fault);
        Assert.Equal(PacketFault.None, Open(opener, Seal(sealer)).Fault);
    }

    [Fact]
    public void A_key_is_replaced_without_a_stop()
    {
        var (old, next) = (ClusterKeys.Draw(), ClusterKeys.Draw());
        using var opener = new PacketOpener(new ClusterKeys(old, next), Cluster, new NodeId(1));
        using var before = new PacketSealer(new ClusterKeys(old, next), Cluster, s_sender, Session);
        using var after = new PacketSealer(new ClusterKeys(next, old), Cluster, s_sender, Session + 1);
        Assert.Equal(PacketFault.None, Open(opener, Seal(before)).Fault);
        Assert.Equal(PacketFault.None, Open(opener, Seal(after)).Fault);
        using var done = new PacketOpener(new ClusterKeys(next), Cluster, new NodeId(1));
        Assert.Equal(PacketFault.Forged, Open(done, Seal(before)).Fault);
    }

    [Fact]
    public void Packets_of_an_earlier_start_are_replays_until_a_stream_has_proven_it()
    {
        using var opener = Opener();
        using var sealer = Sealer();
        using var later = new PacketSealer(new ClusterKeys(s_key), Cluster, s_sender, Session + 1);
        Assert.Equal(PacketFault.None, Open(opener, Seal(sealer)).Fault);
        Assert.Equal(PacketFault.None, Open(opener, Seal(later)).Fault);
        Assert.Equal(PacketFault.Replayed, Open(opener, Seal(sealer)).Fault);
        opener.Prove(s_sender, Session, key: 0);
        Assert.Equal(PacketFault.None, Open(opener, Seal(sealer)).Fault);
    }

    [Fact]
    public void What_is_no_packet_of_ours_is_named()
    {
        using var opener = Opener();
        using var sealer = Sealer();
        Assert.Equal(PacketFault.Oversize, opener.Open(new byte[Packet.MaxLength + 1], [], out _));
        Assert.Equal(PacketFault.Malformed, opener.Open(new byte[Packet.HeaderLength + Packet.TagLength - 1], [], out _));
        Assert.Equal(PacketFault.Malformed, opener.Open(new byte[100], new byte[100 - Packet.HeaderLength - Packet.TagLength], out _));
        using var own = new PacketOpener(new ClusterKeys(s_key), Cluster, s_sender);
        Assert.Equal(PacketFault.Reflected, Open(own, Seal(sealer)).Fault);
    }

    [Fact]
    public void No_bytes_make_it_throw() => Gen.Byte.Array[0, 200].Sample(bytes =>
    {
        using var opener = Opener();
        Assert.NotEqual(PacketFault.None, Open(opener, bytes).Fault);
        if (bytes.Length >= Greeting.Length)
        {
            Assert.NotEqual(PacketFault.None, Greeting.TryRead(bytes, new ClusterKeys(s_key), Cluster, default, out _, out _));
        }
    });

    [Theory]
    [InlineData("")]
    [InlineData("not base64 at all")]
    [InlineData("AAAA")]
    public void A_key_that_is_none_is_refused(string key) => Assert.Throws<ConfigurationRefused>(() => new ClusterKeys(key));

    private static PacketSealer Sealer() => new(new ClusterKeys(s_key), Cluster, s_sender, Session);

    private static PacketOpener Opener() => new(new ClusterKeys(s_key), Cluster, new NodeId(1));

    private static byte[] Seal(PacketSealer sealer, int times = 1)
    {
        var packet = new byte[Packet.MaxLength];
        var length = 0;
        while (times-- > 0)
        {
            length = sealer.Seal(s_message, packet);
        }

        return packet[..length];
    }

    private static (PacketFault Fault, NodeId From) Open(PacketOpener opener, byte[] packet)
    {
        var message = new byte[Math.Max(0, packet.Length - Packet.HeaderLength - Packet.TagLength)];
        var fault = opener.Open(packet, message, out var from);
        if (fault == PacketFault.None)
        {
            Assert.Equal(s_message, message);
        }

        return (fault, from);
    }
}
