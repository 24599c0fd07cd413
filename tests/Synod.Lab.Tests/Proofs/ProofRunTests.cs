using Synod.Lab.Proofs;

namespace Synod.Lab.Tests.Proofs;

public sealed class ProofRunTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Everything_is_done_once_and_told(int jobs)
    {
        var done = new int[103];
        var told = new List<long>();
        new ProofRun(done.Length, jobs, progress => told.Add(progress.Done)).Each("things", 10, () => 0, (_, from, count) =>
        {
            for (var at = from; at < from + count; at++)
            {
                Interlocked.Increment(ref done[at]);
            }
        });
        Assert.All(done, times => Assert.Equal(1, times));
        Assert.Equal((11, 103), (told.Count, told[^1]));
        Assert.Equal(told.Order(), told);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void The_first_failure_is_the_one_that_counts(int jobs)
    {
        for (var attempt = 0; attempt < 20; attempt++)
        {
            var failure = Assert.Throws<InvalidOperationException>(() => new ProofRun(1_000, jobs, _ => { }).Each("things", 1, () => 0, (_, from, _) =>
            {
                if (from is 500 or 501 or 502 or 503)
                {
                    throw new InvalidOperationException($"{from}");
                }
            }));
            Assert.Equal("500", failure.Message);
        }
    }
}
