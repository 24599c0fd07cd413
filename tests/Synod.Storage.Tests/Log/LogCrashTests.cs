using Synod.Simulation.Disks;
using Xunit;
using static Synod.Storage.Tests.LogScript;

namespace Synod.Storage.Tests;

/// <summary>Crashes and failing disks: nothing synced is lost, nothing is invented, and a failure is final.</summary>
public sealed class LogCrashTests
{
    [Fact]
    public void A_crash_at_any_call_loses_no_synced_record_and_invents_none()
    {
        var hit = new long[Enum.GetValues<DiskCallKind>().Length];
        for (var seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            var disk = new SimulatedDisk(random.Next);
            var model = new LogModel(random);
            for (var life = 0; life < 4; life++)
            {
                model.Live(disk);
                disk.Inject = null;
                disk.Crash();
                model.CheckRecovered(Recover(disk), $"seed {seed}, life {life}");
                disk.Crash();
            }

            foreach (var kind in Enum.GetValues<DiskCallKind>())
            {
                hit[(int)kind] += disk.Faults(kind);
            }
        }

        Assert.All(Enum.GetValues<DiskCallKind>(), kind => Assert.True(hit[(int)kind] > 0, $"No fault was injected into {kind}."));
    }

    [Fact]
    public void A_torn_tail_is_cut_at_every_byte_of_the_last_batch()
    {
        var (disk, file, start, end) = WithLastBatch();
        var whole = Content(disk, file);
        for (var torn = start; torn < end; torn++)
        {
            (disk, file, _, _) = WithLastBatch();
            Overwrite(disk, file, torn, new byte[whole.Length - torn]);
            AssertTailIsCut(disk, whole.AsSpan(0, (int)end).LastIndexOfAnyExcept((byte)0) < torn);
        }
    }

    [Fact]
    public void A_file_that_ends_inside_the_last_batch_is_cut_there()
    {
        var (disk, file, start, end) = WithLastBatch();
        for (var torn = start; torn < end; torn++)
        {
            (disk, file, _, _) = WithLastBatch();
            using (var open = disk.Open(file))
            {
                open.Truncate(torn);
                open.Sync();
            }

            AssertTailIsCut(disk, isWhole: false);
        }
    }

    [Fact]
    public void Any_subset_of_the_sectors_of_unsynced_batches_is_cut_to_a_prefix()
    {
        var outcomes = new SortedSet<int>();
        for (var seed = 0; seed < 500; seed++)
        {
            var disk = new SimulatedDisk(new Random(seed).Next);
            using (var log = Open(disk))
            {
                log.AppendSynced("a", "b");
                log.Append("c", Record(1, 1500));
                log.Append("d");
                log.Append("e", Record(2, 600));
            }

            disk.Crash();
            var found = Recover(disk);
            string[] all = ["a", "b", "c", Record(1, 1500), "d", "e", Record(2, 600)];
            Assert.Equal(all[..found.Count], found);
            Assert.Contains(found.Count, (int[])[2, 4, 5, 7]);
            outcomes.Add(found.Count);
        }

        Assert.Equal([2, 4, 5, 7], outcomes);
    }

    [Fact]
    public void What_a_recovery_cut_stays_cut()
    {
        var (disk, file, start, _) = WithLastBatch();
        var lost = Content(disk, file);
        Overwrite(disk, file, start, new byte[10]);
        Assert.Equal(["first", "second"], Recover(disk));

        // The tail comes back from the dead, as bytes in a file that once was the last.
        using (var open = disk.Open(file))
        {
            open.Write(0, lost);
            open.Sync();
        }

        using (var log = Open(disk))
        {
            log.AppendSynced("third");
        }

        Assert.Equal(["first", "second", "third"], Recover(disk));
    }

    [Theory, InlineData(DiskCallKind.Write), InlineData(DiskCallKind.Sync)]
    public void After_a_failure_the_log_refuses_every_call(DiskCallKind kind)
    {
        var disk = new SimulatedDisk(new Random(1).Next);
        using var log = Open(disk);
        disk.Inject = call => call.Kind == kind ? DiskFault.Error : null;
        Assert.Throws<StorageFailure>(() => log.AppendSynced("a"));
        disk.Inject = null;

        foreach (var call in (Action[])[() => log.Append("b"), log.Sync, log.Seal, log.PrepareSpare, () => log.StartSegment(), () => log.DropBefore(2)])
        {
            var failure = Assert.Throws<StorageFailure>(call);
            Assert.Contains("since its first failure", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_full_disk_is_said_to_be_full()
    {
        var disk = new SimulatedDisk(new Random(1).Next) { Capacity = 3 * Small.SegmentBytes };
        using var log = Open(disk);
        var failure = Assert.Throws<StorageFailure>(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                log.AppendSynced(Record(i, 1000));
            }
        });

        Assert.StartsWith("The disk is full", failure.Message, StringComparison.Ordinal);
        disk.Capacity = long.MaxValue;
        var found = Recover(disk);
        Assert.InRange(found.Count, 20, 60);
    }

    private static (SimulatedDisk Disk, string File, long Start, long End) WithLastBatch()
    {
        var disk = new SimulatedDisk(new Random(1).Next);
        long start;
        long end;
        using (var log = Open(disk))
        {
            log.AppendSynced("first", "second");
            start = log.BytesSinceCheckpoint + 4096;
            log.AppendSynced("third", Record(4, 1100), "fifth");
            end = log.BytesSinceCheckpoint + 4096;
        }

        return (disk, LastSegment(disk), start, end);
    }

    private static void AssertTailIsCut(SimulatedDisk disk, bool isWhole)
    {
        using (var log = Open(disk))
        {
            Assert.Equal(isWhole ? 5 : 2, log.Read().Count);
            log.AppendSynced("after");
        }

        Assert.Equal(isWhole ? 6 : 3, Recover(disk).Count);
    }
}
