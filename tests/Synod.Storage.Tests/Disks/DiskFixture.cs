using Synod.Node.Storage;
using Synod.Simulation.Disks;

namespace Synod.Storage.Tests;

/// <summary>The kinds of disk that the same tests run on.</summary>
public enum DiskKind
{
    Simulated,
    Files,
}

/// <summary>A fresh disk of a kind, and its removal.</summary>
public sealed class DiskFixture : IDisposable
{
    private readonly string? _path;
    private readonly FileDisk? _files;

    public DiskFixture(DiskKind kind)
    {
        if (kind == DiskKind.Files)
        {
            _path = Directory.CreateTempSubdirectory("synod-disk-").FullName;
            _files = new FileDisk(_path);
            Disk = _files;
        }
        else
        {
            Disk = new SimulatedDisk(new Random(1).Next);
        }
    }

    public IDisk Disk { get; }

    public void Dispose()
    {
        _files?.Dispose();
        if (_path is not null)
        {
            Directory.Delete(_path, recursive: true);
        }
    }
}
