namespace Synod.Cluster.Tests.Support;

/// <summary>Waiting for what must come. The deadline only ends a test that has failed: no test depends on how long anything takes.</summary>
internal static class Await
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(25);

    public static async Task UntilAsync(string what, Func<ValueTask<bool>> holds)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Deadline);
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (!await holds())
            {
                await timer.WaitForNextTickAsync(deadline.Token);
            }
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            Assert.Fail($"Waited {Deadline.TotalSeconds} s in vain until {what}.");
        }
    }

    public static Task UntilAsync(string what, Func<bool> holds) => UntilAsync(what, () => ValueTask.FromResult(holds()));
}
