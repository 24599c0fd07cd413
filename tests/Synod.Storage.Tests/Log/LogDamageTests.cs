using System.Buffers.Binary;
using System.IO.Hashing;
using Synod.Core;
using Synod.Simulation.Disks;
using Xunit;
using static Synod.Storage.Tests.LogScript;

namespace Synod.Storage.Tests;

/// <summary>What is damaged or another's is refused, with what it is, what it means and what to do.</summary>
public sealed class LogDamageTests
{
    [Fact]
    public void A_flipped_bit_before_the_last_batch_is_reported_wherever_it_is()
    {
        var random = new Random(3);
        for (var i = 0; i < 400; i++)
        {
            var disk = Filled(lives: 2, out var used);
            var segment = disk.List()[random.Next(disk.List().Count)];

            // The last batch of the last segment is the one place that nothing vouches for.
            var end = segment == LastSegment(disk) ? used - 1024 : Content(disk, segment).Length;
            var bit = random.NextInt64((end - 4096) * 8) + 4096 * 8;
            if (IsUnused(Content(disk, segment), bit))
            {
                continue;
            }

            disk.FlipBit(segment, bit);
            var damage = Assert.Throws<LogDamaged>(() => Recover(disk));
            Assert.Equal(segment, damage.File);
            Assert.InRange(bit / 8 - damage.Offset, 0, 1023);
            Assert.Contains(segment, damage.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_flipped_bit_in_a_segments_header_is_reported()
    {
        var page = Content(Filled(lives: 1, out _), "segment-0000000000000003");
        var length = 24 + (int)BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(12));
        for (var bit = 0; bit < length * 8; bit++)
        {
            var disk = Filled(lives: 1, out _);
            disk.FlipBit(LastSegment(disk), bit);
            Assert.Equal(0, Assert.Throws<LogDamaged>(() => Recover(disk)).Offset);
        }
    }

    [Fact]
    public void Damage_in_the_last_batch_looks_like_a_torn_tail_until_it_is_sealed()
    {
        foreach (var isSealed in (bool[])[false, true])
        {
            var disk = new SimulatedDisk(new Random(1).Next);
            using (var log = Open(disk))
            {
                log.AppendSynced("first");
                log.AppendSynced("second");
                if (isSealed)
                {
                    log.Seal();
                    var bytes = log.BytesSinceCheckpoint;
                    log.Seal();
                    Assert.Equal(bytes, log.BytesSinceCheckpoint);
                }
            }

            disk.FlipBit(LastSegment(disk), (4096 + 512 + 75) * 8);
            if (isSealed)
            {
                Assert.Equal(4096 + 512, Assert.Throws<LogDamaged>(() => Recover(disk)).Offset);
            }
            else
            {
                Assert.Equal(["first"], Recover(disk));
            }
        }
    }

    [Fact]
    public void A_missing_segment_is_reported()
    {
        foreach (var index in (int[])[0, 1, 2])
        {
            var disk = Filled(lives: 2, out _);
            var names = disk.List().Where(name => name != "spare").ToArray();
            Assert.True(names.Length > 3);
            disk.Delete(names[index]);
            var damage = Assert.Throws<LogDamaged>(() => Recover(disk));
            Assert.Equal(names[index], damage.File);
            Assert.Contains("is missing", damage.What, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_segment_that_lost_its_end_is_reported()
    {
        var disk = Filled(lives: 2, out _);
        using (var file = disk.Open(disk.List()[0]))
        {
            file.Truncate(file.Length - 1024);
            file.Sync();
        }

        Assert.Equal(disk.List()[0], Assert.Throws<LogDamaged>(() => Recover(disk)).File);
    }

    [Fact]
    public void A_segment_under_anothers_name_is_reported()
    {
        var disk = Filled(lives: 2, out _);
        var names = disk.List().ToArray();
        disk.Delete(names[1]);
        disk.Rename(names[0], names[1]);
        Assert.Throws<LogDamaged>(() => Recover(disk));
    }

    [Theory]
    [InlineData("other", 1, 7)]
    [InlineData("test", 2, 7)]
    [InlineData("test", 1, 8)]
    public void Anothers_log_is_refused_and_left_alone(string cluster, int node, ulong store)
    {
        var disk = Filled(lives: 1, out _);
        var before = disk.List();
        var refusal = Assert.Throws<LogRefused>(() => DurableLog.Open(disk, new LogIdentity(cluster, new NodeId(node), store), Small));

        Assert.Contains("belongs to cluster 'test', node 1", refusal.What, StringComparison.Ordinal);
        Assert.Contains("own data folder", refusal.Remedy, StringComparison.Ordinal);
        Assert.Equal(before, disk.List());
        Assert.NotEmpty(Recover(disk));
    }

    [Fact]
    public void An_unknown_format_is_refused_and_left_alone()
    {
        var disk = Filled(lives: 1, out _);
        var page = Content(disk, LastSegment(disk))[..4096];
        var length = (int)BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(12));
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(8), 2);
        var magic = BinaryPrimitives.ReadUInt64LittleEndian(page);
        BinaryPrimitives.WriteUInt64LittleEndian(page.AsSpan(16), XxHash3.HashToUInt64(page.AsSpan(24, length), (long)(magic ^ 2)));
        Overwrite(disk, LastSegment(disk), 0, page);

        var refusal = Assert.Throws<LogRefused>(() => Recover(disk));
        Assert.Contains("format 2", refusal.What, StringComparison.Ordinal);
        Assert.Contains("only format 1", refusal.What, StringComparison.Ordinal);
    }

    [Fact]
    public void A_read_that_fails_stops_the_recovery()
    {
        var disk = Filled(lives: 1, out _);
        disk.Inject = call => call is { Kind: DiskCallKind.Read, Offset: > 0 } ? DiskFault.Error : null;
        Assert.Throws<StorageFailure>(() => Recover(disk));
    }

    /// <summary>Batches of two sectors each, in several segments.</summary>
    private static SimulatedDisk Filled(int lives, out long used)
    {
        var disk = new SimulatedDisk(new Random(1).Next);
        used = 0;
        for (var life = 0; life < lives; life++)
        {
            using var log = Open(disk);
            for (var i = 0; i < 30; i++)
            {
                var segment = log.Segment;
                log.AppendSynced(Record(i, 900));
                used = log.Segment == segment ? used + 1024 : 4096 + 1024;
            }
        }

        return disk;
    }

    /// <summary>Zeros that fill a batch's last sector, and whatever lies between the last batch and the file's end, mean nothing.</summary>
    private static bool IsUnused(byte[] content, long bit)
    {
        var inBatch = (bit / 8 - 4096) % 1024;
        return inBatch >= 72 + 900 + 4 || content.AsSpan((int)(bit / 8 - inBatch), 4).IndexOfAnyExcept((byte)0) < 0;
    }
}
