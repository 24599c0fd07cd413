using System.Buffers.Binary;
using System.IO.Hashing;
using Synod.Core;
using Synod.Storage;

namespace Synod.Node;

/// <summary>
/// The little that a node itself remembers beside log and store: how often it started, and which data folder each peer has. One
/// file of checksummed sectors; a sector is written whole, and the count of starts takes turns between two of them, so that a torn
/// write loses nothing that was there.
/// </summary>
public sealed class NodeLedger : IPeerStores, IDisposable
{
    private const string FileName = "node.ledger";
    private const int Sector = 4096;
    private const int FirstPeer = 2;
    private const ulong Format = 0x31524744454c4e53;

    private readonly Lock _lock = new();
    private readonly IDiskFile _file;
    private readonly Dictionary<NodeId, ulong> _stores = [];

    /// <exception cref="StorageFailure">The disk failed.</exception>
    public NodeLedger(IDisk disk)
    {
        if (disk.List().Contains(FileName, StringComparer.Ordinal))
        {
            _file = disk.Open(FileName);
        }
        else
        {
            _file = disk.Create(FileName, (FirstPeer + NodeSet.Capacity) * Sector);
            disk.SyncDirectory();
        }

        for (var id = 1; id < NodeSet.Capacity; id++)
        {
            if (Read(FirstPeer + id) is { } store)
            {
                _stores.Add(new NodeId(id), store);
            }
        }

        Boot = checked((long)Math.Max(Read(0) ?? 0, Read(1) ?? 0)) + 1;
        Write((int)(Boot % 2), (ulong)Boot);
    }

    /// <summary>This start's number, from 1: no two starts from one folder share it.</summary>
    public long Boot { get; }

    /// <inheritdoc/>
    public bool Accept(NodeId peer, ulong store)
    {
        lock (_lock)
        {
            // A folder that says it replaces a lost one is let in: whoever has it knows that it may not vote on old promises.
            if (_stores.TryGetValue(peer, out var known) && !new LogIdentity("", peer, store).IsComeback)
            {
                return known == store;
            }

            if (known == store)
            {
                return true;
            }

            Write(FirstPeer + peer.Value, store);
            _stores[peer] = store;
            return true;
        }
    }

    public void Dispose() => _file.Dispose();

    private ulong? Read(int sector)
    {
        Span<byte> bytes = stackalloc byte[24];
        return _file.Read((long)sector * Sector, bytes) == bytes.Length
            && BinaryPrimitives.ReadUInt64LittleEndian(bytes) == Format
            && BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]) == XxHash3.HashToUInt64(bytes[..16], sector)
                ? BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..])
                : null;
    }

    private void Write(int sector, ulong value)
    {
        Span<byte> bytes = stackalloc byte[24];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Format);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], value);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], XxHash3.HashToUInt64(bytes[..16], sector));
        _file.Write((long)sector * Sector, bytes);
        _file.Sync();
    }
}
