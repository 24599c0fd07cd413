using Synod.Storage;

namespace Synod.Node.Storage;

/// <summary>
/// What the store holds with the buffered writes over it: of two equal keys the buffered one counts, and a buffered deletion
/// hides the store's. <paramref name="writes"/> stands at its first key already.
/// </summary>
internal sealed class BufferedCursor(OrderedMapView<BufferedWrite> view, OrderedMapCursor<BufferedWrite> writes, RocksCursor stored) : IStoreCursor
{
    private OrderedMapCursor<BufferedWrite> _writes = writes;
    private bool _hasWrite = true;
    private bool _hasStored;
    private bool _started;
    private bool _atWrite;

    public ReadOnlySpan<byte> Key => _atWrite ? _writes.Key : stored.Key;

    public ReadOnlySpan<byte> Value => _atWrite ? _writes.Value.Value : stored.Value;

    public bool Next()
    {
        if (!_started)
        {
            _started = true;
            _hasStored = stored.Next();
        }
        else if (_atWrite)
        {
            _hasWrite = _writes.Next();
        }
        else
        {
            _hasStored = stored.Next();
        }

        while (_hasWrite)
        {
            var order = _hasStored ? _writes.Key.AsSpan().SequenceCompareTo(stored.Key) : -1;
            if (order > 0)
            {
                break;
            }

            if (order == 0)
            {
                _hasStored = stored.Next();
            }

            if (_writes.Value.Value is not null)
            {
                _atWrite = true;
                return true;
            }

            _hasWrite = _writes.Next();
        }

        _atWrite = false;
        return _hasStored;
    }

    public void Dispose()
    {
        stored.Dispose();
        view.Dispose();
    }
}
