using System.Runtime.InteropServices;
using Synod.Core;

namespace Synod.Node;

/// <summary>
/// Outputs that leave together: at the end of a turn, or when a batch of records is durable. Messages are encoded at once into
/// one buffer per peer; the buffers are reused.
/// </summary>
internal sealed class TurnOutput<TMessage, TResult>
{
    private readonly FrameBuffer?[] _frames = new FrameBuffer?[NodeSet.Capacity];
    private readonly List<int> _peers = [];
    private readonly List<TMessage> _toSelf = [];
    private readonly List<Reply<TResult>> _replies = [];
    private readonly List<Parcel<TMessage>> _parcels = [];

    /// <summary>The peers that something is for.</summary>
    public ReadOnlySpan<int> Peers => CollectionsMarshal.AsSpan(_peers);

    public List<TMessage> ToSelf => _toSelf;

    public List<Reply<TResult>> Replies => _replies;

    /// <summary>What goes in packets and over streams.</summary>
    public List<Parcel<TMessage>> Parcels => _parcels;

    /// <summary>What is there for a peer; to be added to through <see cref="Add(int, ReadOnlySpan{byte})"/> only.</summary>
    public FrameBuffer Frame(int peer) => _frames[peer] ??= new FrameBuffer();

    public void Add(int peer, ReadOnlySpan<byte> message)
    {
        Touch(peer);
        Frame(peer).Add(message);
    }

    /// <summary>Adds the messages of another frame.</summary>
    public void Add(int peer, FrameBuffer messages)
    {
        Touch(peer);
        Frame(peer).Add(messages);
    }

    /// <summary>Empties the frame of one peer after it was sent early.</summary>
    public void Sent(int peer)
    {
        _frames[peer]!.Clear();
        _ = _peers.Remove(peer);
    }

    public void Clear()
    {
        foreach (var peer in _peers)
        {
            _frames[peer]!.Clear();
        }

        _peers.Clear();
        _toSelf.Clear();
        _replies.Clear();
        _parcels.Clear();
    }

    private void Touch(int peer)
    {
        if (Frame(peer).IsEmpty)
        {
            _peers.Add(peer);
        }
    }
}

/// <summary>A message that no connection carries.</summary>
internal readonly record struct Parcel<TMessage>(NodeId To, TMessage Message, bool IsStream);

/// <summary>An answer and whom it goes to.</summary>
internal readonly record struct Reply<TResult>(IAnswerSink<TResult> Sink, long Tag, TResult Result);
