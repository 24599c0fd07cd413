using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>What decides on what happens next, for explorers.</summary>
public sealed partial class Pbft
{
    /// <summary>
    /// Writes what decides on what this replica does next, where signatures prove: replicas that are equal in it act alike but for how
    /// long they wait, whose signatures they show, and whom they accuse.
    /// </summary>
    internal void WriteEssence(CodecWriter writer)
    {
        writer.Signed(_view);
        writer.Bool(_isActive);
        writer.Bool(_awaitsNewView);
        writer.Bool(_suspectsLag);
        writer.Nodes(_answered);
        writer.Slot(_executed);
        writer.Slot(_assigned);
        foreach (var (slot, entry) in _entries)
        {
            if (entry.IsOpen || entry.IsDecided || entry.Proof is not null)
            {
                entry.WriteEssence(writer, slot);
            }
        }

        // Whoever misses one asks everybody.
        writer.Slot(Slot.None);
        writer.Int(_batches.Count);
        foreach (var digest in _batches.Keys)
        {
            digest.Write(writer);
        }

        WriteRequests(writer);
        foreach (var (sender, change) in _viewChanges)
        {
            if (IsCurrent(change))
            {
                writer.Node(sender);
                WriteEssence(writer, change);
            }
        }

        WriteEssence(writer, _newView);
        VisitCheckpoints(new StateWriter(writer));
    }

    /// <summary>Writes what claims about a group look at.</summary>
    internal void WriteWitness(CodecWriter writer)
    {
        writer.Signed(_view);
        writer.Bool(_isActive);
        writer.Slot(_executed);
        foreach (var (slot, entry) in _entries)
        {
            if (entry.IsDecided)
            {
                writer.Slot(slot);
                entry.Decision.Write(writer);
            }
        }

        writer.Slot(Slot.None);
        foreach (var accused in _evidence.Keys)
        {
            writer.Node(accused);
        }
    }

    /// <summary>Forgets what is not in the essence, as far as it can be forgotten.</summary>
    internal void Simplify()
    {
        _failedViews = 0;
        _evidence.Clear();
        foreach (var sender in _viewChanges.Where(pair => !IsCurrent(pair.Value)).Select(pair => pair.Key).ToList())
        {
            _viewChanges.Remove(sender);
        }

        foreach (var entry in _entries.Values)
        {
            entry.Accepted.Clear();
        }
    }

    private bool IsCurrent(Message.ViewChange change) => change.View > _view || (!_isActive && change.View == _view);

    /// <summary>Writes what decides on how a message is acted on.</summary>
    internal static void WriteEssence(CodecWriter writer, Message? message)
    {
        switch (message)
        {
            case Message.PrePrepare m:
                Write(1, m.View, m.Slot, m.Digest);
                break;
            case Message.Prepare m:
                Write(2, m.View, m.Slot, m.Digest);
                break;
            case Message.Commit m:
                Write(3, m.View, m.Slot, m.Digest);
                break;
            case Message.ViewChange m:
                writer.Byte(4);
                writer.Signed(m.View);
                writer.Slot(m.Stable.Slot);
                foreach (var (view, slot, digest, _, _) in m.Prepared)
                {
                    Write(5, view, slot, digest);
                }

                break;
            case Message.NewView m:
                writer.Byte(6);
                writer.Signed(m.View);
                foreach (var (slot, digest, _) in m.Proposals)
                {
                    Write(7, m.View, slot, digest);
                }

                break;
            case null:
                writer.Byte(0);
                break;
            default:
                writer.Byte(8);
                s_messages.Write(writer, message);
                break;
        }

        void Write(byte kind, long view, Slot slot, Digest digest)
        {
            writer.Byte(kind);
            writer.Signed(view);
            writer.Slot(slot);
            digest.Write(writer);
        }
    }

    /// <summary>In which order requests came, but not as the how manieth.</summary>
    private void WriteRequests(CodecWriter writer)
    {
        foreach (var (arrival, request) in _queue)
        {
            writer.Node(request.Client);
            writer.Signed(request.Timestamp);
            writer.Bool(arrival == _guarded);
        }

        writer.Byte(0);
        foreach (var (client, timestamp) in _ordered)
        {
            writer.Node(client);
            writer.Signed(timestamp);
        }

        writer.Byte(0);
        foreach (var (client, reply) in _replies)
        {
            writer.Node(client);
            writer.Signed(reply.Timestamp);
            writer.Bytes(reply.Result.Span);
        }
    }
}
