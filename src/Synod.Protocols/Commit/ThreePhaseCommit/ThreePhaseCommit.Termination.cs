using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class ThreePhaseCommit
{
    private enum Stage
    {
        None,
        Asking,
        PreCommitting,
    }

    private void GoOnWithout(NodeId node, TransactionId id, Stand stand)
    {
        stand.Crashed = stand.Crashed.With(node);
        Lead(id, stand);
    }

    /// <summary>Becomes the backup if everyone before in the order of leaders is believed crashed; goes on if it already is.</summary>
    private void Lead(TransactionId id, Stand stand)
    {
        var promise = PromiseOf(id);
        if (stand.Stage == Stage.None && !stand.IsRecovering && stand.Crashed.Contains(id.Coordinator)
            && promise.Members.All(member => member.Value >= _self.Value || stand.Crashed.Contains(member))
            && Obey(_self, id, stand))
        {
            stand.Stage = Stage.Asking;
            stand.Answered = stand.InP = NodeSet.Empty;
            _out.Send(Awaited(promise, stand), new Message.StateReq(id));
            _out.SetTimer(ToTimer(Timer.Resend, id), _context.Now + _options.Resend);
        }

        GoOnAsBackup(id, promise, stand);
    }

    private void GoOnAsBackup(TransactionId id, Promise promise, Stand stand)
    {
        if (stand.Stage == Stage.Asking && Awaited(promise, stand).IsEmpty)
        {
            Judge(id, promise, stand);
        }

        if (stand.Stage == Stage.PreCommitting && Awaited(promise, stand).IsEmpty)
        {
            DecideAsBackup(id, promise, commit: true);
        }
    }

    /// <summary>
    /// Everyone believed alive has said where it stands, and none has decided. If one is in P, somebody may have committed, and
    /// everyone has to be brought there before the backup may. If all are in W, nobody has.
    /// </summary>
    private void Judge(TransactionId id, Promise promise, Stand stand)
    {
        var anyInP = stand.IsPreCommitted || !stand.InP.IsEmpty;
        if (!anyInP || _mutation == ThreePhaseCommitMutation.AbortOverPreCommitted)
        {
            DecideAsBackup(id, promise, commit: false);
            return;
        }

        EnterPreCommitted(id, stand);
        if (_mutation == ThreePhaseCommitMutation.CommitOverWaiting)
        {
            DecideAsBackup(id, promise, commit: true);
            return;
        }

        stand.Stage = Stage.PreCommitting;
        stand.Answered = stand.InP;
        _out.Send(Awaited(promise, stand), new Message.PreCommit(id));
    }

    private void DecideAsBackup(TransactionId id, Promise promise, bool commit)
    {
        End(id, commit);
        _out.Send(promise.Members.Without(_self).With(id.Coordinator), new Message.Decide(id, commit));
    }

    private void On(NodeId from, Message.AckPre ack)
    {
        var id = ack.Transaction;
        if (_led.TryGetValue(id, out var led))
        {
            AckAtCoordinator(from, id, led);
            return;
        }

        if (!_stands.TryGetValue(id, out var stand) || stand.Stage != Stage.PreCommitting)
        {
            _out.Refuse(Refusal.Unexpected);
            return;
        }

        if (!PromiseOf(id).Members.Contains(from))
        {
            _out.Refuse(Refusal.NotMember);
            return;
        }

        stand.Answered = stand.Answered.With(from);
        GoOnAsBackup(id, PromiseOf(id), stand);
    }

    private void On(NodeId from, Message.StateReq request)
    {
        var id = request.Transaction;
        if (_stands.TryGetValue(id, out var stand))
        {
            if (from == id.Coordinator || !IsOfTransaction(from, id))
            {
                _out.Refuse(Refusal.NotMember);
                return;
            }

            if (!stand.IsRecovering && !Obey(from, id, stand))
            {
                _out.Refuse(Refusal.StaleBallot);
                return;
            }
        }

        Report(from, id);
    }

    /// <summary>Says where this node stands. Who has not voted aborts first: the tombstone comes before the word.</summary>
    private void Report(NodeId to, TransactionId id)
    {
        if (StandingOf(id) is null)
        {
            Bury(id);
        }

        _out.Send(to, new Message.StateRep(id, StandingOf(id) ?? Standing.Aborted));
    }

    private void On(NodeId from, Message.Inquire inquire)
    {
        var id = inquire.Transaction;
        if (inquire.Recovering)
        {
            LearnCrash(from, id);
        }

        Report(from, id);
    }

    private void On(NodeId from, Message.StateRep report)
    {
        var id = report.Transaction;
        if (_led.TryGetValue(id, out var led))
        {
            OnReportToCoordinator(from, report, led);
        }
        else if (!_stands.TryGetValue(id, out var stand))
        {
            _out.Refuse(Refusal.Unexpected);
        }
        else if (!IsOfTransaction(from, id))
        {
            _out.Refuse(Refusal.NotMember);
        }
        else
        {
            OnReportToParticipant(from, report, stand);
        }
    }

    private void OnReportToParticipant(NodeId from, Message.StateRep report, Stand stand)
    {
        var id = report.Transaction;
        switch (report.Standing)
        {
            case Standing.Committed or Standing.Aborted when stand.Stage != Stage.None:
                DecideAsBackup(id, PromiseOf(id), report.Standing == Standing.Committed);
                break;
            case Standing.Committed or Standing.Aborted:
                End(id, report.Standing == Standing.Committed);
                break;
            case Standing.Waiting or Standing.PreCommitted when stand.Stage == Stage.Asking:
                stand.Answered = stand.Answered.With(from);
                stand.InP = report.Standing == Standing.PreCommitted ? stand.InP.With(from) : stand.InP;
                GoOnAsBackup(id, PromiseOf(id), stand);
                break;
            case Standing.WaitingSinceCrash or Standing.PreCommittedSinceCrash or Standing.Forgotten:
                NoteBack(from, report.Standing, id);
                LearnCrash(from, id);
                break;
        }
    }

    /// <summary>A process itself said that it crashed since the transaction began: the one suspicion that is never wrong.</summary>
    private void LearnCrash(NodeId node, TransactionId id)
    {
        if (_led.TryGetValue(id, out var led) && led.Participants.Contains(node))
        {
            GoOnWithout(node, id, led);
        }

        if (_stands.TryGetValue(id, out var stand) && IsOfTransaction(node, id))
        {
            GoOnWithout(node, id, stand);
        }
    }

    /// <summary>A participant that waits asks everyone; in case a message was lost, or it was away when it ended.</summary>
    private void Inquire(TransactionId id)
    {
        if (!_stands.TryGetValue(id, out var stand))
        {
            AskToJoin(id);
            return;
        }

        if (!stand.IsPreCommitted && _mutation == ThreePhaseCommitMutation.TimeoutMeansAbort)
        {
            End(id, commit: false);
            return;
        }

        _out.Send(PromiseOf(id).Members.Without(_self).With(id.Coordinator), new Message.Inquire(id, stand.IsRecovering));
        _out.SetTimer(ToTimer(Timer.Inquire, id), _context.Now + _options.Inquire);
    }

    private void Resend(TransactionId id)
    {
        if (_led.TryGetValue(id, out var led))
        {
            _out.Send(led.Awaited, new Message.PreCommit(id));
        }
        else if (_stands.TryGetValue(id, out var stand) && stand.Stage != Stage.None)
        {
            _out.Send(
                Awaited(PromiseOf(id), stand), stand.Stage == Stage.Asking ? new Message.StateReq(id) : new Message.PreCommit(id));
        }
        else
        {
            return;
        }

        _out.SetTimer(ToTimer(Timer.Resend, id), _context.Now + _options.Resend);
    }

    private NodeSet Awaited(Promise promise, Stand stand) =>
        promise.Members.Without(_self).Except(stand.Crashed).Except(stand.Answered);

    private Promise PromiseOf(TransactionId id)
    {
        Invariant.Check(Ledger.TryGetPromise(id, out var promise), StandsArePromises);
        return promise;
    }

    /// <summary>What a participant knows of a transaction that it has promised to end as told.</summary>
    private sealed class Stand
    {
        public bool IsPreCommitted;

        /// <summary>It crashed since its vote, so others may have gone on without it: it asks, and leads nobody.</summary>
        public bool IsRecovering;

        public NodeSet Crashed;

        /// <summary>The latest leader answered; none until a first PreCommit or StateReq.</summary>
        public NodeId Obeys;

        // As backup: who has answered what it asked in this stage.
        public Stage Stage;
        public NodeSet Answered;
        public NodeSet InP;

        // While recovering: who said that it crashed as well, and was in P.
        public NodeSet Back;
        public NodeSet BackInP;

        public void State(StateVisitor visitor)
        {
            visitor.Visit("preCommitted", ref IsPreCommitted);
            visitor.Visit("recovering", ref IsRecovering);
            visitor.Visit("crashed", ref Crashed);
            visitor.Visit("obeys", ref Obeys);
            visitor.VisitEnum("stage", ref Stage);
            visitor.Visit("answered", ref Answered);
            visitor.Visit("inP", ref InP);
            visitor.Visit("back", ref Back);
            visitor.Visit("backInP", ref BackInP);
        }
    }
}
