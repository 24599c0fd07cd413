using Synod.Core;

namespace Synod.Storage.Mvcc;

/// <summary>
/// Walks stored versions, key by key. Passes a key with a few versions one by one and seeks past one with many: a hot key's history
/// costs a read no more than a few steps.
/// </summary>
internal sealed class VersionCursor : IDisposable
{
    private const int StepsBeforeSeek = 8;

    private readonly IStoreReader _reader;
    private readonly Key _end;
    private IStoreCursor _cursor;
    private bool _started;
    private bool _valid;

    // What all versions of the current key begin with: the escaped key.
    private byte[] _prefix = new byte[128];
    private int _prefixLength;

    public VersionCursor(IStoreReader reader, KeySpan span)
    {
        var stored = StoreKeys.Versions(span);
        _reader = reader;
        _end = stored.End;
        _cursor = reader.Seek(stored);
    }

    public ReadOnlySpan<byte> StoredKey => _cursor.Key;

    public ReadOnlySpan<byte> StoredValue => _cursor.Value;

    public Timestamp Timestamp => StoreKeys.TimestampOf(_cursor.Key);

    /// <summary>The current user key, decoded.</summary>
    public Key UserKey
    {
        get
        {
            Invariant.Check(StoreKeys.TryVersion(_cursor.Key, out var key, out _), "Stored version keys are well formed");
            return key;
        }
    }

    /// <summary>Moves to the newest version of the next key.</summary>
    public bool NextKey()
    {
        if (!_started)
        {
            _started = true;
            _valid = _cursor.Next();
        }

        for (var steps = 0; IsOnKey; steps++)
        {
            if (steps == StepsBeforeSeek)
            {
                Seek(StoreKeys.AfterVersions(Prefix));
            }
            else
            {
                _valid = _cursor.Next();
            }
        }

        if (!_valid)
        {
            return false;
        }

        var stored = _cursor.Key;
        _prefixLength = stored.Length - StoreKeys.TimestampBytes;
        if (_prefix.Length < _prefixLength)
        {
            _prefix = new byte[_prefixLength * 2];
        }

        stored[.._prefixLength].CopyTo(_prefix);
        return true;
    }

    /// <summary>Moves to the next older version of the current key.</summary>
    public bool Older()
    {
        if (IsOnKey)
        {
            _valid = _cursor.Next();
        }

        return IsOnKey;
    }

    /// <summary>Moves to the newest version of the current key at or below <paramref name="at"/>.</summary>
    public bool DownTo(Timestamp at)
    {
        for (var steps = 0; IsOnKey && Timestamp > at; steps++)
        {
            if (steps == StepsBeforeSeek)
            {
                Seek(StoreKeys.AtTimestamp(Prefix, at));
            }
            else
            {
                _valid = _cursor.Next();
            }
        }

        return IsOnKey;
    }

    public void Dispose() => _cursor.Dispose();

    private ReadOnlySpan<byte> Prefix => _prefix.AsSpan(0, _prefixLength);

    private bool IsOnKey =>
        _valid
        && _prefixLength > 0
        && _cursor.Key.Length == _prefixLength + StoreKeys.TimestampBytes
        && _cursor.Key.StartsWith(Prefix);

    private void Seek(byte[] start)
    {
        _cursor.Dispose();
        _cursor = _reader.Seek(new KeySpan(new Key(start), _end));
        _valid = _cursor.Next();
    }
}
