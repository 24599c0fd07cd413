using Synod.Storage;

namespace Synod.Node.Storage;

public sealed class FileDisk : IDisk, IDisposable
{
    /// <param name="path">A folder, made if missing, that no other process has open.</param>
    public FileDisk(string path) => throw new NotImplementedException(path);

    public IReadOnlyList<string> List() => throw new NotImplementedException();

    public IDiskFile Create(string name, long length) => throw new NotImplementedException();

    public IDiskFile Open(string name) => throw new NotImplementedException();

    public void Rename(string from, string to) => throw new NotImplementedException();

    public void Delete(string name) => throw new NotImplementedException();

    public void SyncDirectory() => throw new NotImplementedException();

    public void Dispose()
    {
    }
}
