using Synod.Simulation.Disks;

namespace Synod.Lab.Worlds;

/// <summary>The files of a node's disk as they were while it was down.</summary>
internal sealed class DiskBackup
{
    private readonly SortedDictionary<string, byte[]> _files = new(StringComparer.Ordinal);

    public static DiskBackup Of(SimulatedDisk disk) => Quietly(disk, () =>
    {
        var backup = new DiskBackup();
        foreach (var name in disk.List())
        {
            using var file = disk.Open(name);
            var bytes = new byte[file.Length];
            file.Read(0, bytes);
            backup._files.Add(name, bytes);
        }

        return backup;
    });

    /// <summary>Puts the files on an empty disk.</summary>
    public void PutOn(SimulatedDisk disk) => Quietly(disk, () =>
    {
        foreach (var (name, bytes) in _files)
        {
            using var file = disk.Create(name, bytes.Length);
            file.Write(0, bytes);
            file.Sync();
        }

        disk.SyncDirectory();
        return true;
    });

    /// <summary>Copying is the operator's doing, not the node's: it meets no fault that waits for a call of the node's log.</summary>
    private static T Quietly<T>(SimulatedDisk disk, Func<T> copy)
    {
        var inject = disk.Inject;
        disk.Inject = null;
        var copied = copy();
        disk.Inject = inject;
        return copied;
    }
}
