using CsCheck;
using Xunit;

namespace Synod.Core.Tests.Codec;

public sealed class CodecTests
{
    private static readonly Gen<TimeInterval> Intervals = Gen.Select(
        Gen.Long[0, long.MaxValue / 2], Gen.Long[0, long.MaxValue / 2], Gen.Int[0, 2],
        (earliest, width, status) => new TimeInterval(new Timestamp(earliest), new Timestamp(earliest + width), (ClockStatus)status));

    [Fact]
    public void What_is_written_is_read() =>
        Gen.Select(Gen.ULong, Gen.Long, Gen.Int, Gen.UInt, Gen.Byte.Array, Gen.String).Sample((unsigned, signed, number, word, bytes, text) =>
        {
            var writer = new CodecWriter(1);
            writer.Unsigned(unsigned);
            writer.Signed(signed);
            writer.Int(number);
            writer.Fixed32(word);
            writer.Fixed64(unsigned);
            writer.Bytes(bytes);
            writer.String(text);
            writer.Bool(number > 0);
            writer.Byte((byte)number);
            var reader = new CodecReader(writer.ToArray());
            Assert.Equal(unsigned, reader.Unsigned());
            Assert.Equal(signed, reader.Signed());
            Assert.Equal(number, reader.Int());
            Assert.Equal(word, reader.Fixed32());
            Assert.Equal(unsigned, reader.Fixed64());
            Assert.Equal(bytes, reader.Bytes().ToArray());
            Assert.Equal(text, reader.String());
            Assert.Equal(number > 0, reader.Bool());
            Assert.Equal((byte)number, reader.Byte());
            Assert.True(reader.IsComplete);
        });

    [Fact]
    public void Values_that_everyone_speaks_are_read_back() =>
        Gen.Select(Gen.Int[0, int.MaxValue], Gen.Long, Gen.ULong, Gen.ULong, Intervals).Sample((node, number, low, high, interval) =>
        {
            var writer = new CodecWriter();
            writer.Node(new NodeId(node));
            writer.Nodes(NodeSet.FromBits(new UInt128(high, low)));
            writer.Ballot(new Ballot(number, new NodeId(node)));
            writer.Slot(new Slot(number));
            writer.Timestamp(new Timestamp(number));
            writer.Duration(new Duration(number));
            writer.Interval(interval);
            var reader = new CodecReader(writer.ToArray());
            Assert.Equal(new NodeId(node), reader.Node());
            Assert.Equal(NodeSet.FromBits(new UInt128(high, low)), reader.Nodes());
            Assert.Equal(new Ballot(number, new NodeId(node)), reader.Ballot());
            Assert.Equal(new Slot(number), reader.Slot());
            Assert.Equal(new Timestamp(number), reader.Timestamp());
            Assert.Equal(new Duration(number), reader.Duration());
            Assert.Equal(interval, reader.Interval());
            Assert.True(reader.IsComplete);
        });

    [Fact]
    public void Any_input_is_read_without_throwing_and_a_failure_lasts() =>
        Gen.Select(Gen.Byte.Array[0, 40], Gen.Int[0, 14].Array[1, 12]).Sample((input, fields) =>
        {
            var reader = new CodecReader(input);
            foreach (var field in fields)
            {
                Read(ref reader, field);
                if (reader.Failed)
                {
                    Assert.Equal(0, reader.Remaining);
                    Assert.Equal(0ul, reader.Unsigned());
                    Assert.False(reader.IsComplete);
                }
            }
        });

    [Fact]
    public void A_cut_input_fails() =>
        Gen.Select(Gen.Byte.Array[1, 30], Gen.String[1, 10]).Sample((bytes, text) =>
        {
            var writer = new CodecWriter();
            writer.Bytes(bytes);
            writer.String(text);
            var reader = new CodecReader(writer.ToArray().AsMemory(0, writer.Length - 1));
            reader.Bytes();
            reader.String();
            Assert.True(reader.Failed);
        });

    [Fact]
    public void What_is_left_over_is_not_complete()
    {
        var reader = new CodecReader(new byte[] { 1, 2 });
        reader.Byte();
        Assert.False(reader.IsComplete);
        Assert.Equal([2], reader.Rest().ToArray());
        Assert.True(reader.IsComplete);
    }

    [Theory]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02 })]
    [InlineData(new byte[] { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01 })]
    public void An_integer_beyond_64_bits_fails(byte[] input)
    {
        var reader = new CodecReader(input);
        Assert.Equal(0ul, reader.Unsigned());
        Assert.True(reader.Failed);
    }

    [Fact]
    public void A_count_beyond_the_bytes_left_fails_so_that_it_allocates_nothing()
    {
        var reader = new CodecReader(new byte[] { 0xff, 0xff, 0x03, 1, 2 });
        Assert.Equal(0, reader.Count());
        Assert.True(reader.Failed);
    }

    [Fact]
    public void A_value_outside_its_domain_fails()
    {
        var flag = new CodecReader(new byte[] { 2 });
        flag.Bool();
        Assert.True(flag.Failed);

        var writer = new CodecWriter();
        writer.Unsigned((ulong)int.MaxValue + 1);
        var node = new CodecReader(writer.ToArray());
        node.Node();
        Assert.True(node.Failed);

        writer.Clear();
        writer.Signed((long)int.MaxValue + 1);
        var number = new CodecReader(writer.ToArray());
        number.Int();
        Assert.True(number.Failed);

        writer.Clear();
        writer.Timestamp(new Timestamp(5));
        writer.Signed(-1);
        writer.Byte(1);
        var interval = new CodecReader(writer.ToArray());
        interval.Interval();
        Assert.True(interval.Failed);
    }

    [Fact]
    public void A_renaming_changes_every_node_on_its_way_out()
    {
        var writer = new CodecWriter { Renaming = node => new NodeId(node.Value == 1 ? 2 : node.Value == 2 ? 1 : node.Value) };
        writer.Node(new NodeId(1));
        writer.Nodes(NodeSet.Of(new NodeId(2), new NodeId(3)));
        writer.Ballot(new Ballot(7, new NodeId(2)));
        var reader = new CodecReader(writer.ToArray());
        Assert.Equal(new NodeId(2), reader.Node());
        Assert.Equal(NodeSet.Of(new NodeId(1), new NodeId(3)), reader.Nodes());
        Assert.Equal(new Ballot(7, new NodeId(1)), reader.Ballot());
    }

    [Fact]
    public void A_writer_is_a_buffer_for_others_too()
    {
        var writer = new CodecWriter(1);
        new byte[] { 1, 2, 3 }.CopyTo(writer.GetSpan(3));
        writer.Advance(3);
        writer.Byte(4);
        Assert.Equal([1, 2, 3, 4], writer.Memory.ToArray());
        writer.Clear();
        Assert.Equal(0, writer.Length);
    }

    private static void Read(ref CodecReader reader, int field)
    {
        switch (field)
        {
            case 0: reader.Byte(); break;
            case 1: reader.Bool(); break;
            case 2: reader.Unsigned(); break;
            case 3: reader.Signed(); break;
            case 4: reader.Int(); break;
            case 5: reader.Count(); break;
            case 6: reader.Fixed32(); break;
            case 7: reader.Fixed64(); break;
            case 8: reader.Bytes(); break;
            case 9: reader.String(); break;
            case 10: reader.Node(); break;
            case 11: reader.Nodes(); break;
            case 12: reader.Ballot(); break;
            case 13: reader.Interval(); break;
            default: reader.Timestamp(); break;
        }
    }
}
