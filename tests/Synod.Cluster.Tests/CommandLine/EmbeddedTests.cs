using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Synod.Client;
using Synod.Hosting;

namespace Synod.Cluster.Tests.CommandLine;

/// <summary>A node inside this process.</summary>
public sealed class EmbeddedTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("synod-embedded-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Data_survives_restarts_and_no_port_is_opened()
    {
        for (var start = 1; start <= 3; start++)
        {
            using var host = Build();
            await host.StartAsync(Cancellation);
            var node = host.Services.GetRequiredService<ISynodNode>();
            Assert.Null(node.ClientEndPoint);
            Assert.Null(node.HttpEndPoint);
            Assert.Equal(start, (await node.StatusAsync(Cancellation)).Boot);

            var client = host.Services.GetRequiredService<SynodClient>();
            var count = await client.TransactAsync(
                async transaction =>
                {
                    var before = await transaction.GetAsync("starts", Cancellation);
                    transaction.Put("starts", $"{before?.ValueText}I");
                    return before?.ValueText ?? "";
                },
                Cancellation);
            count.EnsureCommitted();
            Assert.Equal(new string('I', start - 1), count.Value);
            await host.StopAsync(Cancellation);
            Assert.True(node.Completion.IsCompletedSuccessfully);
        }
    }

    [Fact]
    public async Task Options_that_cannot_be_used_are_told_at_the_start()
    {
        using var host = Build(options => options.DataFolder = "");
        var refused = await Assert.ThrowsAsync<SynodConfigurationException>(() => host.StartAsync(Cancellation));
        Assert.Contains("No data folder", Assert.Single(refused.Problems), StringComparison.Ordinal);
    }

    private IHost Build(Action<SynodOptions>? change = null)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSynod(options =>
        {
            options.DataFolder = _folder;
            change?.Invoke(options);
        });
        return builder.Build();
    }
}
