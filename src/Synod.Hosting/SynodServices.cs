using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Synod.Client;

namespace Synod.Hosting;

/// <summary>Runs a node inside any .NET process.</summary>
public static class SynodServices
{
    /// <summary>
    /// Runs one node with the host: recovered before other hosted services start, and stopped in good order after them. A data folder
    /// is enough for a cluster of one; no port is opened unless asked for. Adds <see cref="ISynodNode"/> and <see cref="SynodClient"/>.
    /// </summary>
    /// <exception cref="SynodConfigurationException">Thrown when the host starts, if the options cannot be used.</exception>
    public static IServiceCollection AddSynod(this IServiceCollection services, Action<SynodOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        services.AddLogging();
        services.AddSingleton(provider =>
        {
            var options = new SynodOptions();
            configure(options);
            return new SynodNode(options, provider.GetRequiredService<ILoggerFactory>());
        });
        services.AddSingleton<ISynodNode>(provider => provider.GetRequiredService<SynodNode>());
        services.AddSingleton(provider => provider.GetRequiredService<SynodNode>().Client);
        return services.AddHostedService(provider => provider.GetRequiredService<SynodNode>());
    }
}
