using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>What certificates prove: the highest, the lock, what is committed; and what is executed of that.</summary>
public sealed partial class HotStuff
{
    private bool IsLast(QuorumCertificate certificate) => (int)certificate.Phase == _rules.Phases - 1;

    private void Learn(Certificates shown, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        Learn(shown.High, outbox);
        Learn(shown.Decision, outbox);
        Enter(shown.Timeout, outbox);
        Advance(context, outbox);
    }

    /// <summary>Takes a verified certificate in. It may run ahead of the blocks; locks and commits follow when these are here.</summary>
    private void Learn(QuorumCertificate certificate, Outbox<Message, Record, Command, Result> outbox)
    {
        if (Note(certificate))
        {
            outbox.Persist(new Record.Learned(certificate));
        }

        Commit(certificate, outbox);
    }

    /// <summary>Whether the certificate is above what was known. Nothing here ever goes back.</summary>
    private bool Note(QuorumCertificate certificate)
    {
        var isNews = false;
        if (certificate.Phase == VotePhase.Prepare && certificate.View > _high.View)
        {
            _high = certificate;
            isNews = true;
        }

        if (IsLast(certificate) && _rules.Phases > 1 && certificate.View > _decision.View)
        {
            _decision = certificate;
            isNews = true;
        }

        // Who missed the phase before a lock does not lock: its report would hide what it is locked on.
        if (_rules.Lock(certificate, _tree) is { } due && due.View > _locked.View && due.View <= _high.View)
        {
            _locked = due;
            isNews = true;
        }

        return isNews;
    }

    private void Enter(TimeoutCertificate timeout, Outbox<Message, Record, Command, Result> outbox)
    {
        if (timeout.View >= _view && timeout.View > _timeout.View)
        {
            _timeout = timeout;
            outbox.Persist(new Record.Entered(timeout));
        }
    }

    /// <summary>Puts a block into the tree, durably; its parent is there.</summary>
    private void Adopt(Block block, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!_tree.Contains(block.Digest))
        {
            outbox.Persist(new Record.Stored(block));
            Take(block, outbox);
        }
    }

    private void Take(Block block, Outbox<Message, Record, Command, Result> outbox)
    {
        _tree.Add(block);
        _proposed = _options.Leaders.LeaderOf(block.View) == _self ? Math.Max(_proposed, block.View) : _proposed;
        foreach (var command in block.Commands.Where(command => !IsServed(command)))
        {
            _mempool.Add(command);
            if (_options.Has(HotStuffMutation.OrphansLost))
            {
                _mempool.RemoveUpTo(command.Client, command.Sequence);
            }
        }

        Note(block.Justify);
        Commit(block.Justify, outbox);
        foreach (var ahead in new[] { _high, _decision }.Where(ahead => ahead.Block == block.Digest))
        {
            Note(ahead);
            Commit(ahead, outbox);
        }
    }

    /// <summary>Executes what a certificate commits. Invariant: a block is executed after all of its ancestors, once.</summary>
    private void Commit(QuorumCertificate certificate, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_rules.Commit(certificate, _tree) is { } tip && tip.View > _tree.Committed.View)
        {
            Commit(tip, outbox);
        }
    }

    private void Commit(Block tip, Outbox<Message, Record, Command, Result> outbox)
    {
        var height = _tree.Height;
        foreach (var block in _tree.Commit(tip))
        {
            foreach (var command in _options.Has(HotStuffMutation.AncestorsSkipped) && !block.Equals(tip) ? [] : block.Commands)
            {
                Execute(command, outbox);
            }

            height++;
            if (height % _options.CheckpointPeriod == 0 && !_isRecovering)
            {
                TakeCheckpoint(block, height, outbox);
            }
        }

        if (_tree.Height >= _target.Height)
        {
            _download = null;
        }
    }

    private bool IsServed(Command command) =>
        _clients.TryGetValue(command.Client, out var served) && served.Sequence >= command.Sequence;

    /// <summary>The table of clients is a function of the committed chain, so that all replicas skip the same repetitions.</summary>
    private void Execute(Command command, Outbox<Message, Record, Command, Result> outbox)
    {
        if (IsServed(command) && !_options.Has(HotStuffMutation.ExecutedTwice))
        {
            return;
        }

        _executed = _executed.Next;
        var served = new Served(command.Sequence, _executed, _service.Execute(command.Client, command.Payload));
        _clients[command.Client] = served;
        outbox.Execute(_executed, command);
        Close(command.Client, served, outbox);
    }

    /// <summary>Ends what waits up to the last command of a client that was executed, here or as a part of a fetched state.</summary>
    private void Close(NodeId client, Served served, Outbox<Message, Record, Command, Result> outbox)
    {
        _mempool.RemoveUpTo(client, served.Sequence);
        if (!_waiting.TryGetValue(client, out var waiting))
        {
            return;
        }

        foreach (var (sequence, request) in waiting.Where(item => item.Sequence <= served.Sequence))
        {
            outbox.Answer(new RequestId(request), ResultOf(sequence, served));
        }

        waiting.RemoveAll(item => item.Sequence <= served.Sequence);
        if (waiting.Count == 0)
        {
            _waiting.Remove(client);
        }
    }

    private static Result ResultOf(long sequence, Served served) => sequence == served.Sequence
        ? new Result.Executed(served.Position, served.Value)
        : new Result.Superseded();

    private void Submit(RequestId request, Command command, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_clients.TryGetValue(command.Client, out var served) && served.Sequence >= command.Sequence)
        {
            outbox.Answer(request, ResultOf(command.Sequence, served));
            return;
        }

        if (command.Payload.Length > _options.MaxPayload
            || !IsAuthentic(command)
            || (!_mempool.Contains(command) && _mempool.CountOf(command.Client) >= _options.MaxWaiting)
            || AskersOf(command) >= _options.MaxAskers)
        {
            // Nothing was promised: the client may ask again.
            outbox.AnswerEarly(request, new Result.Refused());
            return;
        }

        _mempool.Add(command);
        if (!_waiting.TryGetValue(command.Client, out var waiting))
        {
            _waiting.Add(command.Client, waiting = []);
        }

        waiting.Add(new Waiting(command.Sequence, request.Value));
    }

    private int AskersOf(Command command) =>
        _waiting.TryGetValue(command.Client, out var waiting) ? waiting.Count(item => item.Sequence == command.Sequence) : 0;

    private bool IsAuthentic(Command command) =>
        _options.Has(HotStuffMutation.CommandsUnchecked)
        || _mempool.Contains(command)
        || _signer.Verify(
            command.Client, _statements.Command(command.Client, command.Sequence, command.Payload), command.Signature);

    /// <summary>
    /// What a time-out certificate says its signers knew has to be shown beside it: a faulty one that only claims to know of more could
    /// make every view that it opens one in which nobody may vote.
    /// </summary>
    private bool Verify(Certificates shown) =>
        shown.High.Phase == VotePhase.Prepare
        && shown.High.View >= shown.Timeout.HighView
        && Verify(shown.High)
        && (shown.Decision == Genesis.Certificate || (_rules.Phases > 1 && IsLast(shown.Decision) && Verify(shown.Decision)))
        && Verify(shown.Timeout);

    /// <summary>One that is known already is not checked again: most are.</summary>
    private bool Verify(QuorumCertificate certificate) =>
        certificate == Genesis.Certificate || certificate == _high || certificate == _decision
        || _options.Has(HotStuffMutation.CertificatesUnchecked)
        || (certificate.View > 0
            && _scheme.Verify(_statements.Vote(certificate.Phase, certificate.View, certificate.Block), certificate.Proof));

    private bool Verify(TimeoutCertificate timeout)
    {
        if (timeout.Equals(TimeoutCertificate.None) || timeout.Equals(_timeout) || _options.Has(HotStuffMutation.CertificatesUnchecked))
        {
            return true;
        }

        for (var index = 0; index < timeout.Shares.Length; index++)
        {
            var share = timeout.Shares[index];
            if ((index > 0 && !(timeout.Shares[index - 1].Signer < share.Signer)) || !Verify(timeout.View, share))
            {
                return false;
            }
        }

        return timeout.View > 0 && timeout.Shares.Length >= _options.Quorum;
    }

    private bool Verify(long view, TimeoutShare share) =>
        _options.Members.Contains(share.Signer)
        && _signer.Verify(share.Signer, TimeoutStatement(view, share.HighView), share.Signature);
}
