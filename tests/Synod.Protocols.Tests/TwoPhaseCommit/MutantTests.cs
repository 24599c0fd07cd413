using Synod.Exploration;
using Synod.Protocols.Commit;
using Xunit;
using Bank = Synod.Lab.Worlds.TwoPhaseCommitWorld;

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
    [InlineData("AbortWhatIsAlone", "AnswerTold", 4)]
    [InlineData("AnswerAloneBeforeDurable", "AnswerTold", 6)]
    [InlineData("ForgetTooEarly", Ledger.Agreement, 11)]
    public void The_explorer_finds_the_mistake(string mutation, string property, int steps)
    {
        var mistake = Enum.Parse<TwoPhaseCommitMutation>(mutation);
        var result = Bank.Showing(mistake, mistake).Explore();
        Assert.NotNull(result.Counterexample);
        output.WriteLine(result.ToString());
        Assert.Contains(property, result.Counterexample.Property, StringComparison.Ordinal);
        Assert.Equal(steps, result.Counterexample.Steps.Count - 1);
        Assert.Null(Bank.Showing(mistake, TwoPhaseCommitMutation.None).Explore().Counterexample);
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
        var model = Bank.Showing(TwoPhaseCommitMutation.VoteBeforeDurable, TwoPhaseCommitMutation.VoteBeforeDurable);
        var first = model.Wander(seed: 1, walks: 2_000, length: 40);
        Assert.NotNull(first.Counterexample);
        Assert.Equal(first.ToString(), model.Wander(seed: 1, walks: 2_000, length: 40).ToString());
    }
}
