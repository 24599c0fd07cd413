using System.Runtime.InteropServices;
using RocksDbSharp;
using Synod.Core;
using Synod.Storage;

namespace Synod.Node.Storage;

/// <summary>
/// An iterator of RocksDB with an upper bound. Below the binding's own classes, because those leave each iterator's options and bound to
/// the finalizer, and a read makes one.
/// </summary>
internal sealed unsafe class RocksCursor : IStoreCursor
{
    private readonly byte[] _start;
    private IntPtr _options;
    private IntPtr _iterator;
    private byte* _end;
    private bool _started;

    public RocksCursor(RocksDb database, KeySpan span, Snapshot? snapshot)
    {
        _start = span.Start.Memory.ToArray();
        _options = Native.Instance.rocksdb_readoptions_create();
        if (!span.End.IsEmpty)
        {
            // RocksDB keeps the pointer for as long as the iterator lives.
            var length = span.End.Span.Length;
            _end = (byte*)NativeMemory.Alloc((nuint)length);
            span.End.Span.CopyTo(new Span<byte>(_end, length));
            Native.Instance.rocksdb_readoptions_set_iterate_upper_bound(_options, (IntPtr)_end, (nuint)length);
        }

        if (snapshot is not null)
        {
            Native.Instance.rocksdb_readoptions_set_snapshot(_options, snapshot.Handle);
        }

        _iterator = Native.Instance.rocksdb_create_iterator(database.Handle, _options);
    }

    public ReadOnlySpan<byte> Key
    {
        get
        {
            var start = Native.Instance.rocksdb_iter_key(_iterator, out var length);
            return new ReadOnlySpan<byte>((void*)start, checked((int)length));
        }
    }

    public ReadOnlySpan<byte> Value
    {
        get
        {
            var start = Native.Instance.rocksdb_iter_value(_iterator, out var length);
            return new ReadOnlySpan<byte>((void*)start, checked((int)length));
        }
    }

    public bool Next()
    {
        ObjectDisposedException.ThrowIf(_iterator == IntPtr.Zero, this);
        if (!_started)
        {
            _started = true;
            Native.Instance.rocksdb_iter_seek(_iterator, _start, (nuint)_start.Length);
        }
        else if (IsValid)
        {
            Native.Instance.rocksdb_iter_next(_iterator);
        }

        if (IsValid)
        {
            return true;
        }

        // The end and a failed read look alike but for this.
        Native.Instance.rocksdb_iter_get_error(_iterator, out var error);
        if (error != IntPtr.Zero)
        {
            var message = Marshal.PtrToStringUTF8(error);
            Native.Instance.rocksdb_free(error);
            throw new StorageFailure($"Could not read the store: {message}");
        }

        return false;
    }

    public void Dispose()
    {
        if (_iterator == IntPtr.Zero)
        {
            return;
        }

        Native.Instance.rocksdb_iter_destroy(_iterator);
        Native.Instance.rocksdb_readoptions_destroy(_options);
        NativeMemory.Free(_end);
        _iterator = IntPtr.Zero;
        _options = IntPtr.Zero;
        _end = null;
    }

    private bool IsValid => Native.Instance.rocksdb_iter_valid(_iterator) != 0;
}
