using Google.Protobuf;
using Grpc.Net.Client;
using Synod.Api;
using Synod.Client;
using Synod.Cluster.Tests.Support;
using Synod.Workloads;

namespace Synod.Cluster.Tests.Faults;

/// <summary>A process that stands still for longer than its lease, and does not know it.</summary>
public class PauseTests
{
    private const string Probe = "a-probe";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public Task Registers_stay_linearizable_while_leaders_are_paused() => PauseAsync(new RegisterWorkload());

    [Fact]
    public Task The_bank_keeps_its_money_while_leaders_are_paused() => PauseAsync(new BankWorkload(new BankOptions()));

    private static async Task PauseAsync(IWorkload workload)
    {
        await using var cluster = new TestCluster();
        await cluster.StartAsync();
        await using var run = await WorkloadRun.StartAsync(cluster, workload);
        for (var round = 1; round <= 2; round++)
        {
            await run.CommitsAsync();
            (await cluster.Client.PutAsync(Probe, $"old {round}", Cancellation)).EnsureCommitted();
            var (leader, group) = await ServingLeaderAsync(cluster, $"old {round}");
            using var channel = GrpcChannel.ForAddress($"http://{leader.Endpoint}");
            var stub = new Api.Synod.SynodClient(channel);

            // These reads are in the paused leader's sockets when its successors take over. They must not reach it before it stands
            // still: one that did could rightly be answered as of then.
            await leader.Program.PauseAsync();
            var reads = Enumerable.Range(0, 10)
                .Select(_ => stub.CallAsync(Read(group), cancellationToken: Cancellation).ResponseAsync)
                .ToList();
            await cluster.LedByAsync(cluster.Others(leader));
            (await cluster.Client.PutAsync(Probe, $"new {round}", Cancellation)).EnsureCommitted();
            await run.CommitsAsync();
            Assert.All(reads, read => Assert.False(read.IsCompleted));
            leader.Program.Signal(Signal.Continue);

            foreach (var response in await Task.WhenAll(reads))
            {
                Assert.NotEqual($"old {round}", ValueOf(response));
            }

            await cluster.CaughtUpAsync(leader);
        }

        await run.CommitsAsync();
        await run.FinishAsync();
    }

    /// <summary>The leader, once it serves <paramref name="value"/>: leadership may be on its way home from the round before.</summary>
    private static async Task<(TestNode Node, ulong Group)> ServingLeaderAsync(TestCluster cluster, string value)
    {
        (TestNode Node, ulong Group) leader = default;
        await Await.UntilAsync("a leader serves the newest value", async () =>
        {
            leader = await cluster.FirstLeaderAsync();
            using var channel = GrpcChannel.ForAddress($"http://{leader.Node.Endpoint}");
            var response = await new Api.Synod.SynodClient(channel).CallAsync(Read(leader.Group), cancellationToken: Cancellation);
            return ValueOf(response) == value;
        });
        return leader;
    }

    private static Request Read(ulong group) =>
        new() { Group = group, Read = new Read { Start = ByteString.CopyFromUtf8(Probe), Single = true } };

    private static string? ValueOf(Response response) =>
        response.BodyCase == Response.BodyOneofCase.Read ? response.Read.Items.Single().Value.ToStringUtf8() : null;
}
