using System.CommandLine;
using Synod.Client;

namespace Synod.App;

/// <summary>The options with which every command that talks to a cluster finds it.</summary>
internal sealed class ClientFlags
{
    private const string DefaultEndpoint = "127.0.0.1:7201";

    private readonly Option<string[]> _endpoints = new("--endpoint", "-e")
    {
        Description = $"A node as host:port; repeat for more. Default: $SYNOD_ENDPOINTS (comma-separated), or {DefaultEndpoint}.",
        DefaultValueFactory = _ =>
            (FromEnvironment("SYNOD_ENDPOINTS") ?? DefaultEndpoint).Split(',', StringSplitOptions.TrimEntries),
    };

    private readonly Option<string?> _token = new("--token")
    {
        Description = "The cluster's token. Default: $SYNOD_TOKEN.",
        DefaultValueFactory = _ => FromEnvironment("SYNOD_TOKEN"),
    };

    private readonly Option<string?> _authority = new("--ca")
    {
        Description = "The cluster's ca.crt: connect with TLS. Default: $SYNOD_CA.",
        DefaultValueFactory = _ => FromEnvironment("SYNOD_CA"),
    };

    private readonly Option<bool> _plaintext = new("--allow-plaintext") { Description = "Permit connections without TLS to other machines." };

    private readonly Option<double> _timeout = new Option<double>("--timeout")
    {
        Description = "Seconds to look for a node that answers.",
        DefaultValueFactory = _ => 10,
    }.Between(0.001, Bounds.Day);

    public ClientFlags(Command command)
    {
        command.Add(_endpoints);
        command.Add(_token);
        command.Add(_authority);
        command.Add(_plaintext);
        command.Add(_timeout);
    }

    public SynodClient Client(ParseResult parsed)
    {
        var authority = parsed.GetValue(_authority);
        if (authority is not null && !File.Exists(authority))
        {
            throw new ArgumentException($"The authority '{authority}' does not exist. Give the path of the cluster's ca.crt.");
        }

        var timeout = TimeSpan.FromSeconds(parsed.GetValue(_timeout));
        return new SynodClient(new SynodClientOptions
        {
            Endpoints = parsed.GetValue(_endpoints)!,
            Token = parsed.GetValue(_token),
            Tls = authority is null ? null : ClientTls.FromFile(authority),
            AllowPlaintext = parsed.GetValue(_plaintext),
            RequestTimeout = timeout,
            CommitTimeout = timeout,
        });
    }

    // Set to nothing is how a shell takes a variable back for one command.
    private static string? FromEnvironment(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    /// <summary>Adds a command whose action gets a client.</summary>
    public static Command Command(
        string name, string description, Action<Command> shape, Func<ParseResult, SynodClient, CancellationToken, Task<int>> action)
    {
        var command = new Command(name, description);
        shape(command);
        var flags = new ClientFlags(command);
        command.SetAction((parsed, cancellationToken) => Terminal.RunAsync(async () =>
        {
            await using var client = flags.Client(parsed);
            return await action(parsed, client, cancellationToken);
        }));
        return command;
    }
}
