using Synod.Lab.Scenarios;

namespace Synod.Lab.Tests.Scenarios;

/// <summary>How findings come to a verdict, and when it is the promised one.</summary>
public sealed class ReportTests
{
    [Fact]
    public void The_gravest_finding_is_the_verdict()
    {
        var report = Made([], []);
        Assert.Equal(Verdict.Consistent, report.Verdict);
        report.Measure("Figure", false, $"");
        Assert.Equal(Verdict.Refuted, report.Verdict);
        report.Liveness("Ends", false, $"");
        Assert.Equal(Verdict.Blocked, report.Verdict);
        report.Safety("Agreement", false, $"");
        Assert.Equal(Verdict.Inconsistent, report.Verdict);
    }

    [Fact]
    public void A_promise_of_a_broken_invariant_is_kept_by_breaking_it()
    {
        var report = Made(["Ends"], ["Agreement"]);
        report.Liveness("Ends", true, $"");
        report.Safety("Agreement", false, $"");
        Assert.True(report.IsAsPromised);
        Assert.Equal(Verdict.Inconsistent, report.Verdict);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void A_promise_is_not_kept_if_anything_comes_out_otherwise(bool ends, bool agrees)
    {
        var report = Made(["Ends"], ["Agreement"]);
        report.Liveness("Ends", ends, $"");
        report.Safety("Agreement", agrees, $"");
        Assert.False(report.IsAsPromised);
    }

    [Fact]
    public void A_promise_is_not_kept_by_looking_at_nothing_or_at_something_else()
    {
        var report = Made(["Ends"], []);
        Assert.False(report.IsAsPromised);
        report.Liveness("Ends", true, $"");
        Assert.True(report.IsAsPromised);
        report.Safety("Unforeseen", true, $"");
        Assert.False(report.IsAsPromised);
    }

    private static Report Made(string[] holds, string[] broken) => new(new Told(new Promise(holds, broken)), 1);

    private sealed class Told(Promise promise) : Scenario
    {
        public override string Name => "told";

        public override string Title => "Nothing.";

        public override Promise Promise => promise;

        protected override void Play(Report report, ulong seed)
        {
        }
    }
}
