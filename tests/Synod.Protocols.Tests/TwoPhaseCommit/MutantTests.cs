using Synod.Exploration;
using Synod.Protocols.Commit;
using Xunit;

namespace Synod.Protocols.Tests.TwoPhaseCommit;

/// <summary>
/// Two-phase commit with one known mistake each (commit.md §1.6). A test fails if the explorer does not find the mistake: then it
/// is the explorer, or the model, that cannot see.
/// </summary>
public sealed class MutantTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("VoteBeforeDurable", TwoPhase.CommitValidity, 8)]
    [InlineData("DecideBeforeDurable", Ledger.Agreement, 13)]
    [InlineData("AckBeforeDurable", Ledger.Agreement, 17)]
    [InlineData("FirstYesDecides", TwoPhase.CommitValidity, 3)]
    [InlineData("ForgetBeforeAcks", "AnswerTold", 8)]
    [InlineData("PresumeAbortWhileCollecting", "AnswerTold", 8)]
    [InlineData("TimeoutMeansAbort", "AnswerTold", 6)]
    [InlineData("NoTombstone", "AnswerTold", 8)]
    [InlineData("TombstoneBeforeDurable", "AnswerTold", 11)]
    [InlineData("MindChange", "AnswerTold", 6)]
    [InlineData("ReuseIds", TwoPhase.CommitValidity, 9)]
    [InlineData("RecoverWithoutLocks", Ledger.LocksCoverWindow, 5)]
    public void The_explorer_finds_the_mistake(string mutation, string property, int steps)
    {
        var mistake = Enum.Parse<TwoPhaseCommitMutation>(mutation);
        var result = Model(mistake).Explore();
        Assert.NotNull(result.Counterexample);
        output.WriteLine(result.ToString());
        Assert.Contains(property, result.Counterexample.Property, StringComparison.Ordinal);
        Assert.Equal(steps, result.Counterexample.Steps.Count - 1);
        Assert.Null(Model(TwoPhaseCommitMutation.None, mistake).Explore().Counterexample);
    }

    [Fact]
    public void Every_mutation_is_hunted()
    {
        var hunted = typeof(MutantTests).GetMethod(nameof(The_explorer_finds_the_mistake))!
            .GetCustomAttributesData().Where(data => data.AttributeType == typeof(InlineDataAttribute))
            .Select(data => (string)((IReadOnlyList<System.Reflection.CustomAttributeTypedArgument>)data.ConstructorArguments[0].Value!)[0].Value!);
        Assert.Equal(Enum.GetNames<TwoPhaseCommitMutation>().Where(name => name != "None").Order(), hunted.Order());
    }

    [Fact]
    public void Random_walks_find_a_vote_that_is_not_durable_and_a_seed_finds_it_again()
    {
        var model = Model(TwoPhaseCommitMutation.VoteBeforeDurable);
        var first = model.Wander(seed: 1, walks: 2_000, length: 40);
        Assert.NotNull(first.Counterexample);
        Assert.Equal(first.ToString(), model.Wander(seed: 1, walks: 2_000, length: 40).ToString());
    }

    private static Model<TwoPhase.Message, TwoPhase.Record, CommitCommand, CommitResult> Model(TwoPhaseCommitMutation mutation) =>
        Model(mutation, mutation);

    /// <summary>The configuration in which <paramref name="shown"/> shows, over a protocol with <paramref name="mutation"/>.</summary>
    private static Model<TwoPhase.Message, TwoPhase.Record, CommitCommand, CommitResult> Model(
        TwoPhaseCommitMutation mutation, TwoPhaseCommitMutation shown)
    {
        var crashes = shown is TwoPhaseCommitMutation.VoteBeforeDurable or TwoPhaseCommitMutation.DecideBeforeDurable
            or TwoPhaseCommitMutation.AckBeforeDurable or TwoPhaseCommitMutation.TombstoneBeforeDurable
            or TwoPhaseCommitMutation.ReuseIds or TwoPhaseCommitMutation.RecoverWithoutLocks ? 1 : 0;
        var model = Bank.Model(2, new Budgets { Crashes = crashes, Timers = 1, MaxStates = 50_000 }, mutation);
        return shown switch
        {
            TwoPhaseCommitMutation.MindChange => model with
            {
                Submissions = [.. model.Submissions, new(Bank.A, new CommitCommand.Veto(Bank.First))],
            },
            TwoPhaseCommitMutation.ReuseIds => model with
            {
                Submissions =
                [
                    .. model.Submissions,
                    new(Bank.Coordinator, new CommitCommand.Begin([Bank.Branch(Bank.A, "2", "y"), Bank.Branch(Bank.B, "2", "y")])),
                ],
            },
            _ => model,
        };
    }
}
