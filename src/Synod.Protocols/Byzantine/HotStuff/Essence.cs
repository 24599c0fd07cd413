using Synod.Core;

namespace Synod.Protocols.Byzantine;

public sealed partial class HotStuff
{
    /// <summary>
    /// Writes what decides on what this replica does next, for explorers: states that are equal in it act alike but for how long they wait,
    /// whom they help, and whose signatures they show.
    /// </summary>
    internal void Essence(CodecWriter writer)
    {
        writer.Signed(_view);
        writer.Bool(_isAfterTimeout);
        writer.Byte((byte)(_votedView < _view ? 0 : 1 + (int)_votedPhase));
        writer.Bool(_timedOut >= _view);
        writer.Bool(_proposed >= _view);
        writer.Bool(_isDelayOver);
        Write(writer, _high);
        Write(writer, _locked);
        Write(writer, _decision);
        writer.Signed(_isAfterTimeout ? _timeout.HighView : 0);
        _tree.Committed.Digest.Write(writer);
        foreach (var block in _tree.Open)
        {
            block.Digest.Write(writer);
        }

        writer.Int(_mempool.Count);
        _missing.Write(writer);
        foreach (var block in _parked.Select(parked => parked.Block).Concat(_fetched))
        {
            block.Digest.Write(writer);
        }

        writer.Nodes(_reports);
        EssenceOfCollected(writer);
    }

    /// <summary>Writes what decides on how a message is acted on.</summary>
    internal static void Essence(CodecWriter writer, Message message)
    {
        switch (message)
        {
            case Message.Proposal proposal:
                writer.Byte(1);
                proposal.Block.Digest.Write(writer);
                Write(writer, proposal.Certificates);
                break;
            case Message.NewView report:
                writer.Byte(4);
                writer.Signed(report.View);
                Write(writer, report.Certificates);
                break;
            case Message.Timeout timeout:
                writer.Byte(5);
                writer.Signed(timeout.View);
                Write(writer, timeout.Certificates);
                break;
            case Message.Sync sync:
                writer.Byte(6);
                Write(writer, sync.Certificates);
                break;
            default:
                Messages.Write(writer, message);
                break;
        }
    }

    private void EssenceOfCollected(CodecWriter writer)
    {
        var voters = new SortedDictionary<Digest, NodeSet>();
        foreach (var votes in _votes)
        {
            voters.Clear();
            foreach (var (voter, vote) in votes)
            {
                voters[vote.Block] = voters.GetValueOrDefault(vote.Block).With(voter);
            }

            foreach (var (block, who) in voters)
            {
                block.Write(writer);
                writer.Nodes(who);
            }

            writer.Byte(0);
        }

        writer.Nodes(NodeSet.Of([.. _shares.Keys]));
        foreach (var share in _shares.Values.OrderBy(share => share.HighView))
        {
            writer.Signed(share.HighView);
        }
    }

    private static void Write(CodecWriter writer, QuorumCertificate certificate)
    {
        writer.Signed(certificate.View);
        certificate.Block.Write(writer);
    }

    private static void Write(CodecWriter writer, Certificates shown)
    {
        Write(writer, shown.High);
        Write(writer, shown.Decision);
        writer.Signed(shown.Timeout.View);
        writer.Signed(shown.Timeout.HighView);
    }
}
