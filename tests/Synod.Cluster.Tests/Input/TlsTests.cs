using Synod.Client;
using Synod.Cluster.Tests.Support;

namespace Synod.Cluster.Tests.Input;

/// <summary>Certificates, real and not.</summary>
public class TlsTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Only_the_clusters_own_certificates_get_in()
    {
        await using var cluster = new TestCluster();
        var ours = await CertificatesAsync(cluster, "ours");
        var theirs = await CertificatesAsync(cluster, "theirs");
        var authority = Path.Combine(ours, "ca.crt");
        cluster.Client = cluster.NewClient(options => options with { Tls = ClientTls.FromFile(authority) });
        cluster.Node(1).Start("--certs", ours);
        cluster.Node(2).Start("--certs", ours);
        var stranger = cluster.Node(3).Start("--certs", theirs);
        await cluster.AnswersAsync(cluster.Node(1));
        await cluster.AnswersAsync(cluster.Node(2));
        (await cluster.Client.PutAsync("a", "1", Cancellation)).EnsureCommitted();
        await cluster.Node(1).Program.SaysAsync("(Certificate)");
        Assert.True(stranger.IsRunning);

        await ClientsAreCheckedAsync(cluster, authority, Path.Combine(theirs, "ca.crt"));

        await cluster.Node(3).KillAsync();
        cluster.Node(3).Start("--certs", ours);
        await cluster.AnswersAsync(cluster.Node(3));
        await cluster.CaughtUpAsync(cluster.Node(3));
    }

    private static async Task ClientsAreCheckedAsync(TestCluster cluster, string authority, string foreignAuthority)
    {
        var endpoint = cluster.Node(1).Endpoint;
        Assert.Equal("1", (await SynodProgram.RunAsync("kv", "get", "a", "--ca", authority, "-e", endpoint)).Ends(0).Output);
        (await SynodProgram.RunAsync("kv", "get", "a", "--ca", foreignAuthority, "-e", endpoint, "--timeout", "6")).Fails(3, endpoint, "certificate");
        (await SynodProgram.RunAsync("kv", "get", "a", "-e", endpoint, "--timeout", "1")).Fails(3, endpoint);

        await using var plain = cluster.NewClient(options => options with { RequestTimeout = Soon });
        await Assert.ThrowsAsync<SynodUnavailableException>(() => plain.GetAsync("a", Cancellation));
    }

    private static async Task<string> CertificatesAsync(TestCluster cluster, string name)
    {
        var folder = Path.Combine(cluster.Folder, name);
        var created = await SynodProgram.RunAsync("cert", "create", "--folder", folder, "--node", "1", "--node", "2", "--node", "3");
        created.Ends(0);
        Assert.All(["ca.crt", "ca.key", "node-1.crt", "node-3.key"], file => Assert.True(File.Exists(Path.Combine(folder, file))));
        return folder;
    }
}
