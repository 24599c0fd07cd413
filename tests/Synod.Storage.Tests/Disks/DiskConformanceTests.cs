using CsCheck;
using Synod.Node.Storage;
using Synod.Simulation.Disks;
using Xunit;

namespace Synod.Storage.Tests;

/// <summary>What every disk does, so that the simulated one stands for the real one.</summary>
public sealed class DiskConformanceTests
{
    [Theory, InlineData(DiskKind.Simulated), InlineData(DiskKind.Files)]
    public void A_new_file_is_zeros_of_its_length(DiskKind kind)
    {
        using var fixture = new DiskFixture(kind);
        using var file = fixture.Disk.Create("a", 10_000);
        var content = new byte[20_000];
        content.AsSpan().Fill(7);

        Assert.Equal(10_000, file.Length);
        Assert.Equal(10_000, file.Read(0, content));
        Assert.All(content[..10_000], item => Assert.Equal(0, item));
        Assert.Equal(0, file.Read(10_000, content));
        Assert.Equal(1, file.Read(9_999, content));
    }

    [Theory, InlineData(DiskKind.Simulated), InlineData(DiskKind.Files)]
    public void Names_are_listed_in_order_and_follow_renames_and_deletions(DiskKind kind)
    {
        using var fixture = new DiskFixture(kind);
        foreach (var name in (string[])["b", "a", "c"])
        {
            fixture.Disk.Create(name, 1).Dispose();
        }

        fixture.Disk.Delete("b");
        fixture.Disk.Rename("a", "z");
        fixture.Disk.SyncDirectory();

        Assert.Equal(["c", "z"], fixture.Disk.List());
    }

    [Theory, InlineData(DiskKind.Simulated), InlineData(DiskKind.Files)]
    public void A_file_open_across_its_rename_is_the_renamed_one(DiskKind kind)
    {
        using var fixture = new DiskFixture(kind);
        using var file = fixture.Disk.Create("a", 4);
        fixture.Disk.Rename("a", "b");
        file.Write(0, [1, 2, 3, 4]);
        file.Sync();

        using var renamed = fixture.Disk.Open("b");
        var content = new byte[4];
        Assert.Equal(4, renamed.Read(0, content));
        Assert.Equal([1, 2, 3, 4], content);
    }

    [Theory, InlineData(DiskKind.Simulated), InlineData(DiskKind.Files)]
    public void Taken_and_missing_names_are_failures(DiskKind kind)
    {
        using var fixture = new DiskFixture(kind);
        fixture.Disk.Create("a", 1).Dispose();
        fixture.Disk.Create("b", 1).Dispose();

        Assert.Throws<StorageFailure>(() => fixture.Disk.Create("a", 1));
        Assert.Throws<StorageFailure>(() => fixture.Disk.Open("c"));
        Assert.Throws<StorageFailure>(() => fixture.Disk.Rename("a", "b"));
        Assert.Throws<StorageFailure>(() => fixture.Disk.Rename("c", "d"));
    }

    [Fact]
    public void Both_disks_give_the_same_content_after_the_same_writes()
    {
        var step = Gen.OneOf(
            Gen.Select(Gen.Int[0, 3000], Gen.Byte.Array[0, 1500], (at, data) => (Action<IDiskFile>)(file => file.Write(at, data))),
            Gen.Int[0, 5000].Select(length => (Action<IDiskFile>)(file => file.Truncate(Math.Min(length, file.Length)))),
            Gen.Const((Action<IDiskFile>)(file => file.Sync())));
        step.List[1, 12].Sample(
            steps =>
            {
                using var simulated = new DiskFixture(DiskKind.Simulated);
                using var files = new DiskFixture(DiskKind.Files);
                Assert.Equal(Run(files.Disk, steps), Run(simulated.Disk, steps));
            },
            iter: 100);
    }

    [Fact]
    public void A_folder_has_one_owner()
    {
        var path = Directory.CreateTempSubdirectory("synod-lock-").FullName;
        try
        {
            using (new FileDisk(path))
            {
                var failure = Assert.Throws<StorageFailure>(() => new FileDisk(path));
                Assert.Contains("in use by another process", failure.Message, StringComparison.Ordinal);
            }

            new FileDisk(path).Dispose();
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    [Fact]
    public void A_full_real_disk_is_said_to_be_full()
    {
        var path = Directory.CreateTempSubdirectory("synod-full-").FullName;
        try
        {
            File.CreateSymbolicLink(Path.Combine(path, "full"), "/dev/full");
            using var disk = new FileDisk(path);
            using var file = disk.Open("full");
            var failure = Assert.Throws<StorageFailure>(() => file.Write(0, new byte[10]));
            Assert.StartsWith("The disk is full", failure.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    [Fact]
    public void A_file_that_cannot_be_allocated_leaves_nothing_behind()
    {
        using var fixture = new DiskFixture(DiskKind.Files);
        var failure = Assert.Throws<StorageFailure>(() => fixture.Disk.Create("huge", 1L << 60));
        Assert.Contains("create 'huge'", failure.Message, StringComparison.Ordinal);
        Assert.Empty(fixture.Disk.List());
    }

    [Fact]
    public void A_crash_keeps_what_was_synced_and_any_subset_of_the_other_sectors()
    {
        var outcomes = new SortedSet<string>(StringComparer.Ordinal);
        for (var seed = 0; seed < 200; seed++)
        {
            var disk = new SimulatedDisk(new Random(seed).Next);
            using (var file = disk.Create("a", 4 * 512))
            {
                disk.SyncDirectory();
                file.Write(0, Filled(512, 1));
                file.Sync();
                file.Write(512, Filled(3 * 512, 2));
            }

            disk.Crash();
            using var survivor = disk.Open("a");
            var content = new byte[4 * 512];
            Assert.Equal(content.Length, survivor.Read(0, content));
            Assert.Equal(Filled(512, 1), content[..512]);
            outcomes.Add(string.Concat(Enumerable.Range(1, 3).Select(sector => content[sector * 512] == 2 ? 'x' : '.')));
        }

        Assert.Equal(["...", "..x", ".x.", ".xx", "x..", "x.x", "xx.", "xxx"], outcomes.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_crash_may_lose_names_until_the_directory_is_synced()
    {
        var created = 0;
        var renamed = 0;
        var deleted = 0;
        for (var seed = 0; seed < 100; seed++)
        {
            var disk = new SimulatedDisk(new Random(seed).Next);
            disk.Create("old", 1).Dispose();
            disk.Create("gone", 1).Dispose();
            disk.SyncDirectory();
            disk.Create("new", 1).Dispose();
            disk.Rename("old", "renamed");
            disk.Delete("gone");
            disk.Crash();

            var names = disk.List();
            created += names.Contains("new") ? 1 : 0;
            renamed += names.Contains("renamed") ? 1 : 0;
            deleted += names.Contains("gone") ? 0 : 1;
            Assert.True(names.Contains("renamed") ^ names.Contains("old"));
        }

        Assert.All((int[])[created, renamed, deleted], count => Assert.InRange(count, 1, 99));
    }

    [Fact]
    public void Faults_are_injected_and_counted_by_call()
    {
        var disk = new SimulatedDisk(new Random(1).Next);
        using var file = disk.Create("a", 1024);
        disk.Inject = call => call.Kind == DiskCallKind.Sync ? DiskFault.Error : null;
        Assert.Throws<StorageFailure>(file.Sync);
        disk.Inject = call => call.Kind == DiskCallKind.Read ? DiskFault.BitFlip : null;
        var content = new byte[1024];
        Assert.Equal(1024, file.Read(0, content));

        Assert.Equal(1, content.Sum(item => int.PopCount(item)));
        Assert.Equal(1, disk.Faults(DiskCallKind.Sync));
        Assert.Equal(1, disk.Faults(DiskCallKind.Read));
        Assert.Equal(0, disk.Faults(DiskCallKind.Write));
        Assert.Equal(1, disk.Calls(DiskCallKind.Create));
    }

    private static byte[] Filled(int length, byte value)
    {
        var data = new byte[length];
        data.AsSpan().Fill(value);
        return data;
    }

    private static byte[] Run(IDisk disk, List<Action<IDiskFile>> steps)
    {
        using var file = disk.Create("a", 2000);
        foreach (var step in steps)
        {
            step(file);
        }

        var content = new byte[file.Length + 1];
        return content[..file.Read(0, content)];
    }
}
