using System.Globalization;
using Synod.Core;
using Synod.Protocols.Commit;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

/// <summary>
/// A client that opens transactions, touches participants one by one, each of which then enlists, and commits in the end. It is careless: it
/// neither waits until all have enlisted nor sees when one of them has crashed since, and it touches some of them twice. What it is told of an
/// enlistment is a claim all the same: the transaction does not commit without these writes.
/// </summary>
internal sealed class EnlistingClient(
    SimulatedWorld world,
    SeededRandom random,
    IReadOnlyList<NodeId> nodes,
    ICommandTarget<CommitCommand, CommitResult> target,
    Action<bool, string, NodeId, string> check) : IAnswerReceiver<CommitResult>, IEventTarget
{
    private const int MostSteps = 16;
    private const int Opening = 0;
    private const int Ending = MostSteps - 1;

    private static readonly Duration Touch = Duration.FromMilliseconds(60);
    private static readonly Duration Session = Duration.FromMilliseconds(300);

    private readonly SortedDictionary<int, OpenTransaction> _sessions = [];

    /// <summary>Transactions of which the client knows that they are committed.</summary>
    public long Committed => _sessions.Values.Count(session => session.Told == true && session.Enlisted.Count > 0);

    public bool Has(int number) => _sessions.ContainsKey(number);

    /// <summary>Opens a transaction at <paramref name="coordinator"/>, whose writes are values of this <paramref name="number"/>.</summary>
    /// <returns>Whether that one is up.</returns>
    public bool Begin(int number, NodeId coordinator)
    {
        var session = new OpenTransaction { Coordinator = coordinator };
        var value = Key.Of(number.ToString(CultureInfo.InvariantCulture)).Memory;
        for (var count = 1 + random.Below(4); count > 0; count--)
        {
            var participant = session.Touches.Count > 0 && random.Below(3) == 0 ? session.Touches[0].Participant : nodes[random.Below(nodes.Count)];
            session.Touches.Add(new(participant, random.Below(5) == 0 ? [] : [new Write(Key.Of($"k{random.Below(6)}"), value)]));
        }

        _sessions.Add(number, session);
        return target.Submit(coordinator, new CommitCommand.Open(), this, Tag(number, Opening)) || !_sessions.Remove(number);
    }

    public void OnAnswer(NodeId node, long tag, CommitResult result)
    {
        var (number, step) = ((int)(tag / MostSteps), (int)(tag % MostSteps));
        var session = _sessions[number];
        switch (result)
        {
            case CommitResult.Opened opened:
                session.Id = opened.Transaction;
                for (var touch = 0; touch < session.Touches.Count; touch++)
                {
                    world.After(random.Wait(Touch), this, 0, Tag(number, touch + 1));
                }

                world.After(random.Wait(Session), this, 0, Tag(number, Ending));
                break;
            case CommitResult.Enlisted:
                session.Enlisted.Add(session.Touches[step - 1]);
                break;
            case CommitResult.Committed or CommitResult.Aborted when step == Ending:
                session.Told = result is CommitResult.Committed;
                break;
            case CommitResult.Vetoed:
                session.Told = false;
                break;
        }
    }

    public void OnLost(NodeId node, long tag)
    {
    }

    public void Handle(in SimulatedEvent happened)
    {
        var (number, step) = ((int)(happened.Argument / MostSteps), (int)(happened.Argument % MostSteps));
        var session = _sessions[number];
        if (step == Ending)
        {
            CommitCommand end = random.Below(10) == 0 ? new CommitCommand.Veto(session.Id) : new CommitCommand.Commit(session.Id);
            target.Submit(session.Coordinator, end, this, happened.Argument);
            return;
        }

        var branch = session.Touches[step - 1];
        if (!target.Submit(branch.Participant, new CommitCommand.Enlist(session.Id, branch.Writes), this, happened.Argument))
        {
            world.After(random.Wait(Touch), this, 0, happened.Argument);
        }
    }

    /// <summary>What is applied is what one touch wrote there.</summary>
    public void OnApplied(int number, NodeId node, CommitCommand.Apply apply)
    {
        var session = _sessions[number];
        check(
            session.Id == apply.Transaction
                && session.Touches.Any(touch => touch.Participant == node && touch.Writes.SequenceEqual(apply.Writes)),
            "NoLostUpdate",
            node,
            $"{apply} was never enlisted");
        session.Applied.Add(new(node, apply.Writes));
    }

    /// <summary>Atomicity of what was enlisted: with one part of a transaction everything else that was called enlisted is applied.</summary>
    public void Judge()
    {
        foreach (var (number, session) in _sessions)
        {
            check(
                session.Told != false || session.Applied.Count == 0, "AnswerTold", session.Coordinator, $"{number}: told aborted, and applied");
            if (session.Told != true && session.Applied.Count == 0)
            {
                continue;
            }

            foreach (var branch in session.Enlisted.Where(branch => !branch.Writes.IsEmpty))
            {
                check(
                    session.Applied.Any(applied => applied.Participant == branch.Participant && applied.Writes.SequenceEqual(branch.Writes)),
                    EnlistingModels.EnlistedWritesApply,
                    branch.Participant,
                    $"{number} is committed as {session.Id} without {branch}");
            }
        }
    }

    private static long Tag(int number, int step) => (number * (long)MostSteps) + step;

    /// <summary>A transaction as its client sees it.</summary>
    private sealed class OpenTransaction
    {
        public NodeId Coordinator;
        public TransactionId Id;

        /// <summary>What it was told in the end, if anything.</summary>
        public bool? Told;

        public readonly List<Branch> Touches = [];
        public readonly List<Branch> Enlisted = [];
        public readonly List<Branch> Applied = [];
    }
}
