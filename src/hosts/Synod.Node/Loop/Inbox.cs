using Synod.Core;

namespace Synod.Node;

internal enum InputKind : byte
{
    /// <summary>Messages of one frame.</summary>
    Messages,

    /// <summary>One message.</summary>
    Message,

    /// <summary>A command and where its answer goes.</summary>
    Command,

    /// <summary>Something to do between steps.</summary>
    Call,
}

/// <summary>One input of the loop. Which fields count depends on <paramref name="Kind"/>.</summary>
internal readonly record struct Input<TMessage, TCommand, TResult>(
    InputKind Kind,
    NodeId From = default,
    List<TMessage>? Messages = null,
    TMessage? Message = default,
    int Bytes = 0,
    TCommand? Command = default,
    IAnswerSink<TResult>? Sink = null,
    long Tag = 0,
    Action? Call = null);

/// <summary>
/// Inputs from many threads for one. The taker swaps two lists under the lock, so that a turn's worth of inputs costs one
/// acquisition; peers that send faster than we step are made to wait, which TCP passes on to them.
/// </summary>
internal sealed class Inbox<TMessage, TCommand, TResult>(int maxBytes)
{
    private readonly object _lock = new();
    private List<Input<TMessage, TCommand, TResult>> _filling = [];
    private int _bytes;
    private bool _closed;

    /// <summary>Whether something is in.</summary>
    public bool HasInputs
    {
        get
        {
            lock (_lock)
            {
                return _filling.Count > 0;
            }
        }
    }

    /// <summary>Adds a local input; false once closed.</summary>
    public bool Add(in Input<TMessage, TCommand, TResult> input)
    {
        lock (_lock)
        {
            if (_closed)
            {
                return false;
            }

            _filling.Add(input);
            return true;
        }
    }

    /// <summary>Adds messages of a peer, after waiting while too much is there already; false once closed.</summary>
    public bool AddFromPeer(in Input<TMessage, TCommand, TResult> input)
    {
        lock (_lock)
        {
            while (_bytes > maxBytes && !_closed)
            {
                _ = Monitor.Wait(_lock);
            }

            if (_closed)
            {
                return false;
            }

            _bytes += input.Bytes;
            _filling.Add(input);
            return true;
        }
    }

    /// <summary>Adds messages of somebody whom nothing can make wait; false if too much is there already, or once closed.</summary>
    public bool TryAddFromPeer(in Input<TMessage, TCommand, TResult> input)
    {
        lock (_lock)
        {
            if (_closed || _bytes > maxBytes)
            {
                return false;
            }

            _bytes += input.Bytes;
            _filling.Add(input);
            return true;
        }
    }

    /// <summary>Takes everything; <paramref name="empty"/> is filled from now on.</summary>
    public List<Input<TMessage, TCommand, TResult>> Take(List<Input<TMessage, TCommand, TResult>> empty)
    {
        lock (_lock)
        {
            if (_filling.Count == 0)
            {
                return empty;
            }

            var taken = _filling;
            _filling = empty;
            if (_bytes > maxBytes)
            {
                Monitor.PulseAll(_lock);
            }

            _bytes = 0;
            return taken;
        }
    }

    /// <summary>Refuses inputs from now on; the ones that are in stay.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
            Monitor.PulseAll(_lock);
        }
    }
}
