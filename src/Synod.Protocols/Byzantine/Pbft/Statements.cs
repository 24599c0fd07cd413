using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Byzantine;

public sealed partial class Pbft
{
    /// <summary>
    /// What is signed: canonical bytes bound to the protocol, cluster, configuration and kind of message. A span lives until the next
    /// statement is made.
    /// </summary>
    internal sealed class Statements(SigningDomain domain)
    {
        private readonly CodecWriter _writer = new();

        public ReadOnlySpan<byte> Request(NodeId client, long timestamp, ReadOnlySpan<byte> operation, bool isRead)
        {
            domain.Begin(_writer, isRead ? (byte)2 : (byte)1);
            _writer.Node(client);
            _writer.Signed(timestamp);
            _writer.Bytes(operation);
            return _writer.Span;
        }

        public ReadOnlySpan<byte> Vote(Phase phase, long view, Slot slot, Digest digest)
        {
            domain.Begin(_writer, (byte)phase);
            _writer.Signed(view);
            _writer.Slot(slot);
            digest.Write(_writer);
            return _writer.Span;
        }

        public ReadOnlySpan<byte> Checkpoint(Slot slot, Digest state)
        {
            domain.Begin(_writer, 6);
            _writer.Slot(slot);
            state.Write(_writer);
            return _writer.Span;
        }

        public ReadOnlySpan<byte> ViewChange(Message.ViewChange m)
        {
            domain.Begin(_writer, 7);
            Fields.WriteBody(_writer, m);
            return _writer.Span;
        }

        /// <summary>View changes by their signatures, which stand for their contents.</summary>
        public ReadOnlySpan<byte> NewView(long view, ImmutableArray<Message.ViewChange> viewChanges, ImmutableArray<Proposal> proposals)
        {
            domain.Begin(_writer, 8);
            _writer.Signed(view);
            foreach (var change in viewChanges)
            {
                _writer.Node(change.Sender);
                change.Signature.Write(_writer);
            }

            foreach (var proposal in proposals)
            {
                _writer.Slot(proposal.Slot);
                proposal.Digest.Write(_writer);
            }

            return _writer.Span;
        }
    }

    private Authenticator Authenticate(Phase phase, long view, Slot slot, Digest digest)
    {
        var statement = _statements.Vote(phase, view, slot, digest);
        if (!_options.UsesCodes)
        {
            return new Authenticator.Signed(_signer.Sign(statement));
        }

        var codes = ImmutableArray.CreateBuilder<Mac>(_group.Replicas.Length);
        foreach (var replica in _group.Replicas)
        {
            codes.Add(replica == _self ? default : _macs.Authenticate(replica, statement));
        }

        return new Authenticator.Coded(codes.MoveToImmutable());
    }

    private bool IsAuthentic(NodeId from, Phase phase, long view, Slot slot, Digest digest, Authenticator authenticator)
    {
        var statement = _statements.Vote(phase, view, slot, digest);
        return authenticator switch
        {
            Authenticator.Signed signed => !_options.UsesCodes && _signer.Verify(from, statement, signed.Signature),
            Authenticator.Coded coded => _options.UsesCodes && coded.Codes.Length == _group.Replicas.Length
                && _macs.Check(from, statement, coded.Codes[_group.IndexOf(_self)]),
            _ => false,
        };
    }

    /// <summary>Whether a client signed a request that may be ordered, or a read. One that waits here was checked when it came.</summary>
    private bool IsAuthentic(SignedRequest request, bool isRead) =>
        request.Timestamp > 0 && request.Operation.Length <= _options.MaxOperation && !_group.Members.Contains(request.Client)
        && (Mutated(PbftMutation.UnsignedRequests)
            || (!isRead && IsWaiting(request))
            || _signer.Verify(
                request.Client,
                _statements.Request(request.Client, request.Timestamp, request.Operation.Span, isRead),
                request.Signature));

    private bool IsProven(CheckpointProof proof) =>
        proof.Slot == Slot.None
            ? proof.Endorsements.IsEmpty
            : proof.Slot.Value > 0 && proof.Slot.Value % _options.CheckpointPeriod == 0
                && AreSigned(proof.Endorsements, _group.Quorum, _statements.Checkpoint(proof.Slot, proof.State));

    /// <summary>That a slot prepared in a view, unless codes are used: then there is nothing to show.</summary>
    private bool IsProven(Prepared prepared)
    {
        if (_options.UsesCodes)
        {
            return prepared.Prepares.IsEmpty && prepared.Proposal == default;
        }

        var primary = _group.PrimaryOf(prepared.View);
        return Mutated(PbftMutation.BelievePrepared)
            || (!prepared.Prepares.Any(item => item.Signer == primary)
                && _signer.Verify(
                    primary,
                    _statements.Vote(Phase.PrePrepare, prepared.View, prepared.Slot, prepared.Digest),
                    prepared.Proposal)
                && AreSigned(
                    prepared.Prepares,
                    PreparesNeeded,
                    _statements.Vote(Phase.Prepare, prepared.View, prepared.Slot, prepared.Digest)));
    }

    /// <summary>Whether at least so many distinct replicas signed, and nobody else is named.</summary>
    private bool AreSigned(ImmutableArray<Endorsement> endorsements, int least, ReadOnlySpan<byte> statement)
    {
        if (endorsements.Length < least || endorsements.Length > _group.Replicas.Length)
        {
            return false;
        }

        var signers = NodeSet.Empty;
        foreach (var endorsement in endorsements)
        {
            if (!_group.Members.Contains(endorsement.Signer) || signers.Contains(endorsement.Signer)
                || !_signer.Verify(endorsement.Signer, statement, endorsement.Signature))
            {
                return false;
            }

            signers = signers.With(endorsement.Signer);
        }

        return true;
    }
}
