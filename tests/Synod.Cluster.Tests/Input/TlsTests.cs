using System.Globalization;
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

    [Fact]
    public async Task A_nodes_certificate_is_good_for_that_node_alone()
    {
        await using var cluster = new TestCluster();
        var certificates = await CertificatesAsync(cluster, "ours");
        cluster.Client = cluster.NewClient(options => options with { Tls = ClientTls.FromFile(Path.Combine(certificates, "ca.crt")) });

        // Shown by a node that says who it is: it does not even start.
        var borrowed = Directory.CreateDirectory(Path.Combine(cluster.Folder, "borrowed")).FullName;
        File.Copy(Path.Combine(certificates, "ca.crt"), Path.Combine(borrowed, "ca.crt"));
        File.Copy(Path.Combine(certificates, "node-2.crt"), Path.Combine(borrowed, "node-3.crt"));
        File.Copy(Path.Combine(certificates, "node-2.key"), Path.Combine(borrowed, "node-3.key"));
        var refused = cluster.Node(3).Start("--certs", borrowed);
        Assert.Equal(2, await refused.ExitAsync());
        Assert.Contains("is not for node 3", refused.Errors, StringComparison.OrdinalIgnoreCase);

        // Shown where another node is expected: whoever dials node 3 there hangs up.
        cluster.Node(1).Start("--certs", certificates);
        cluster.Node(2).Start("--certs", certificates);
        await cluster.AnswersAsync(cluster.Node(1));
        await cluster.AnswersAsync(cluster.Node(2));
        string[] swapped = [.. cluster.Arguments.Select(argument => Swap(argument, cluster.NodePorts[1], cluster.NodePorts[2]))];
        await using var impostor = SynodProgram.Start(
            ["start", "--id", "2", "--data", Path.Combine(cluster.Folder, "impostor"), "--certs", certificates,
             "--client-listen", $"127.0.0.1:{LocalPorts.Take(1)[0].ToString(CultureInfo.InvariantCulture)}", .. swapped]);
        await cluster.Node(1).Program.SaysAsync("Refused n3 at");
        await cluster.Node(1).Program.SaysAsync("(Certificate)");
        (await cluster.Client.PutAsync("a", "1", Cancellation)).EnsureCommitted();
        Assert.True(impostor.IsRunning);
        Assert.All(cluster.Nodes.Take(2), node => Assert.True(node.IsRunning));
    }

    private static string Swap(string text, int one, int other)
    {
        var (first, second) = (one.ToString(CultureInfo.InvariantCulture), other.ToString(CultureInfo.InvariantCulture));
        return text.Replace(first, "*", StringComparison.Ordinal)
            .Replace(second, first, StringComparison.Ordinal)
            .Replace("*", second, StringComparison.Ordinal);
    }

    private static async Task ClientsAreCheckedAsync(TestCluster cluster, string authority, string foreignAuthority)
    {
        var endpoint = cluster.Node(1).Endpoint;
        Assert.Equal("1", (await SynodProgram.RunAsync("kv", "get", "a", "--ca", authority, "-e", endpoint)).Ends(0).Output);
        (await SynodProgram.RunAsync("kv", "get", "a", "--ca", foreignAuthority, "-e", endpoint, "--timeout", "6")).Fails(3, endpoint, "certificate");
        (await SynodProgram.RunAsync("kv", "get", "a", "-e", endpoint, "--timeout", "6")).Fails(3, endpoint, "ca.crt");

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
