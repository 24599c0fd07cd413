namespace Synod.Protocols.Commit;

/// <summary>
/// Known mistakes, one line each at the guard that they disable. Tests make a protocol with one of them and fail if the explorer
/// does not find it; nothing else can.
/// </summary>
internal enum TwoPhaseCommitMutation
{
    None,
    VoteBeforeDurable,
    DecideBeforeDurable,
    AckBeforeDurable,
    FirstYesDecides,
    ForgetBeforeAcks,
    PresumeAbortWhileCollecting,
    TimeoutMeansAbort,
    NoTombstone,
    TombstoneBeforeDurable,
    MindChange,
    ReuseIds,
    RecoverWithoutLocks,
    AbortWhatIsAlone,
    AnswerAloneBeforeDurable,
    ForgetTooEarly,
}
