namespace Synod.Cluster.Tests.Support;

/// <summary>One cluster for all tests that break nothing. Clients need its token.</summary>
public sealed class SharedCluster : IAsyncLifetime
{
    public const string Token = "open-sesame";

    private TestCluster? _cluster;

    internal TestCluster Cluster => _cluster ?? throw new InvalidOperationException("The cluster has not been started.");

    public async ValueTask InitializeAsync()
    {
        _cluster = new TestCluster(3, "--token", Token);
        _cluster.Client = _cluster.NewClient(options => options with { Token = Token });
        await _cluster.StartAsync();
    }

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();

    /// <summary>Runs a command against the cluster.</summary>
    internal Task<Finished> RunAsync(params IEnumerable<string> arguments) => RunWithInputAsync("", arguments);

    /// <summary>Runs a command against the cluster.</summary>
    internal Task<Finished> RunWithInputAsync(string input, params IEnumerable<string> arguments) => SynodProgram.RunAsync(
        input, [("SYNOD_ENDPOINTS", string.Join(',', Cluster.Endpoints)), ("SYNOD_TOKEN", Token)], arguments);
}

/// <summary>The tests that share it.</summary>
[CollectionDefinition(Name)]
public sealed class SharedClusterTests : ICollectionFixture<SharedCluster>
{
    public const string Name = "shared cluster";
}
