using CsCheck;
using Synod.Core;
using Synod.Simulation.Disks;
using Xunit;
using static Synod.Storage.Tests.LogScript;

namespace Synod.Storage.Tests;

/// <summary>What the log promises while no disk fails.</summary>
public sealed class DurableLogTests
{
    [Theory, InlineData(DiskKind.Simulated), InlineData(DiskKind.Files)]
    public void Records_come_back_in_order_over_many_lives(DiskKind kind)
    {
        using var fixture = new DiskFixture(kind);
        var expected = new List<string>();
        for (var life = 0; life < 5; life++)
        {
            using var log = Open(fixture.Disk);
            Assert.Equal(expected, log.Read());
            for (var i = 0; i < 40; i++)
            {
                string[] records = [Record(life * 1000 + i, 10), Record(life * 1000 + i + 500, 900), ""];
                log.AppendSynced(records);
                expected.AddRange(records);
            }
        }

        Assert.Equal(expected, Recover(fixture.Disk));
    }

    [Theory, InlineData(DiskKind.Simulated), InlineData(DiskKind.Files)]
    public void A_batch_larger_than_a_segment_gets_a_segment_of_its_own(DiskKind kind)
    {
        using var fixture = new DiskFixture(kind);
        string[] records = [Record(1, 10), Record(2, 3 << 20), Record(3, 70_000), Record(4, 10)];
        using (var log = Open(fixture.Disk))
        {
            foreach (var record in records)
            {
                log.AppendSynced(record);
            }
        }

        Assert.Equal(records, Recover(fixture.Disk));
    }

    [Theory, InlineData(DiskKind.Simulated), InlineData(DiskKind.Files)]
    public void Dropped_segments_are_forgotten_and_one_file_is_reused(DiskKind kind)
    {
        using var fixture = new DiskFixture(kind);
        using (var log = Open(fixture.Disk))
        {
            for (var i = 0; i < 100; i++)
            {
                log.AppendSynced(Record(i, 1000));
            }

            var before = log.BytesSinceCheckpoint;
            var segment = log.StartSegment();
            log.AppendSynced("checkpoint");
            log.DropBefore(segment);

            Assert.InRange(before, 100_000, 200_000);
            Assert.InRange(log.BytesSinceCheckpoint, 1, 2000);
            Assert.Equal(["segment-" + segment.ToString("d16", null), "spare"], fixture.Disk.List());
            for (var i = 0; i < 20; i++)
            {
                log.AppendSynced(Record(i, 1000));
            }

            Assert.DoesNotContain("spare", fixture.Disk.List());
        }

        Assert.Equal(["checkpoint", .. Enumerable.Range(0, 20).Select(i => Record(i, 1000))], Recover(fixture.Disk));
    }

    [Fact]
    public void Both_disks_give_the_same_log_for_the_same_program()
    {
        var step = Gen.Frequency(
            (6, Gen.Int[0, 3000].List[0, 4].Select(sizes => (Action<DurableLog>)(log => log.Append(sizes.Select(size => Record(size, size)))))),
            (3, Gen.Const((Action<DurableLog>)(log => log.Sync()))),
            (1, Gen.Const((Action<DurableLog>)(log => log.Seal()))),
            (1, Gen.Const((Action<DurableLog>)(log => log.PrepareSpare()))),
            (1, Gen.Const((Action<DurableLog>)(log =>
            {
                log.DraftSpare();
                log.AdoptSpare();
            }))),
            (1, Gen.Const((Action<DurableLog>)(log => log.DropBefore(log.StartSegment())))));
        step.List[1, 30].List[1, 3].Sample(
            lives =>
            {
                using var simulated = new DiskFixture(DiskKind.Simulated);
                using var files = new DiskFixture(DiskKind.Files);
                foreach (var life in lives)
                {
                    using var left = Open(simulated.Disk);
                    using var right = Open(files.Disk);
                    Assert.Equal(left.Read(), right.Read());
                    foreach (var action in life)
                    {
                        action(left);
                        action(right);
                    }

                    Assert.Equal(left.Segment, right.Segment);
                    Assert.Equal(left.BytesSinceCheckpoint, right.BytesSinceCheckpoint);
                    Assert.Equal(simulated.Disk.List(), files.Disk.List());
                    Assert.All(files.Disk.List(), name => Assert.Equal(Content(simulated.Disk, name), Content(files.Disk, name)));
                }
            },
            iter: 30, threads: 1);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void A_spare_made_ahead_is_used_by_the_next_segment(bool isDrafted)
    {
        var disk = new SimulatedDisk(new Random(1).Next);
        using var log = Open(disk);
        Assert.True(log.NeedsSpare);
        if (isDrafted)
        {
            log.DraftSpare();
            log.AdoptSpare();
        }
        else
        {
            log.PrepareSpare();
        }

        Assert.False(log.NeedsSpare);
        var created = disk.Calls(DiskCallKind.Create);
        log.StartSegment();

        Assert.Equal(created, disk.Calls(DiskCallKind.Create));
    }

    [Fact]
    public void Nothing_to_sync_costs_no_sync()
    {
        var disk = new SimulatedDisk(new Random(1).Next);
        using var log = Open(disk);
        log.AppendSynced("a");
        var syncs = disk.Calls(DiskCallKind.Sync);
        log.Sync();
        log.Append([]);
        log.Sync();

        Assert.Equal(syncs, disk.Calls(DiskCallKind.Sync));
    }

    [Fact]
    public void A_record_over_the_limit_is_our_own_mistake()
    {
        var batch = new LogBatch();
        Assert.Throws<InvariantViolation>(() => batch.Add(new byte[LogBatch.MaxRecordBytes + 1]));
    }

    [Fact]
    public void Half_a_record_is_our_own_mistake()
    {
        using var log = Open(new SimulatedDisk(new Random(1).Next));
        var batch = Batch("whole");
        batch.Writer.Byte(1);
        Assert.Throws<InvariantViolation>(() => log.Append(batch));
    }

    [Fact]
    public void The_last_segment_cannot_be_dropped()
    {
        using var log = Open(new SimulatedDisk(new Random(1).Next));
        Assert.Throws<InvariantViolation>(() => log.DropBefore(log.Segment + 1));
    }

    [Fact]
    public void The_owner_can_be_read_before_opening()
    {
        var disk = new SimulatedDisk(new Random(1).Next);
        Assert.Null(DurableLog.ReadIdentity(disk));
        Open(disk).Dispose();
        Assert.Equal(Identity, DurableLog.ReadIdentity(disk));
    }
}
