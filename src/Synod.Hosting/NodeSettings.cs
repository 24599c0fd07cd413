using System.Globalization;
using System.Net;
using Synod.Core;
using Synod.Database;
using Synod.Node;

namespace Synod.Hosting;

/// <summary>Options that were checked and taken apart.</summary>
internal sealed partial record NodeSettings
{
    /// <summary>How a node without a client port is called in its own directory, where only the same process looks.</summary>
    public const string InProcess = "in-process:0";

    public required NodeId Self { get; init; }

    public required string Cluster { get; init; }

    public required string DataFolder { get; init; }

    public bool Rejoin { get; init; }

    public required IReadOnlyList<NodeDescriptor> Nodes { get; init; }

    public required IReadOnlyDictionary<NodeId, EndPoint> Peers { get; init; }

    /// <summary>Where to ask for the other nodes.</summary>
    public required IReadOnlyList<EndPoint> Join { get; init; }

    public ClusterKeys? Keys { get; init; }

    /// <summary>The replicas of the range that the cluster begins with.</summary>
    public required NodeSet InitialReplicas { get; init; }

    /// <summary>Whether some of these replicas are nodes that still have to be found.</summary>
    public bool WaitsForOthers => !InitialReplicas.IsSubsetOf(NodeSet.Of([.. Nodes.Select(node => node.Id)]));

    public IPEndPoint? Listen { get; init; }

    public IPEndPoint? ClientListen { get; init; }

    public IPEndPoint? HttpListen { get; init; }

    public TlsOptions? Tls { get; init; }

    public bool AllowPlaintext { get; init; }

    public string? Token { get; init; }

    public required IClock Clock { get; init; }

    public required Duration MaxClockBound { get; init; }

    public required Func<NodeSet, QuorumSystem> Quorums { get; init; }

    public string OwnAddress => Nodes.First(node => node.Id == Self).ClientAddress;

    /// <exception cref="SynodConfigurationException">Something is wrong; all of it is said.</exception>
    public static NodeSettings Of(SynodOptions options)
    {
        var problems = new List<string>();
        if (string.IsNullOrWhiteSpace(options.DataFolder))
        {
            problems.Add("No data folder is given, so there is nowhere to keep data. Name a folder; it is made if missing.");
        }

        if (options.Cluster.Length is 0 or > 64)
        {
            problems.Add($"The cluster's name has {options.Cluster.Length} characters. Give it 1 to 64, the same on all nodes.");
        }

        var nodes = ReadNodes(options, problems);
        var own = options.Nodes.Find(node => node.Id == options.NodeId);
        var listen = ReadEndPoint(options.Listen ?? own?.Address, "to listen for nodes", problems);
        var clients = ReadEndPoint(options.ClientListen ?? own?.ClientAddress, "to listen for clients", problems);
        var http = ReadEndPoint(options.HttpListen, "to serve health and metrics", problems);
        var tls = ReadTls(options.Tls, problems);
        RequireSafe(clients, tls, options.AllowPlaintext, problems);
        var others = Others.Read(options, nodes, problems);
        var isAlone = options.Nodes.Count <= 1 && !others.FindsOthers;
        var (clock, bound) = ReadClock(options, isAlone, problems);
        if (options.Replicas < 1)
        {
            problems.Add($"{options.Replicas} replicas keep nothing. Use 3, or 5 to survive two failures.");
        }

        var quorums = ReadQuorums(options.Quorums, others.Initial, problems);
        return problems.Count > 0
            ? throw new SynodConfigurationException(problems)
            : new NodeSettings
            {
                Self = new NodeId(options.NodeId),
                Cluster = options.Cluster,
                DataFolder = Path.GetFullPath(options.DataFolder),
                Rejoin = options.Rejoin,
                Nodes = nodes,
                Peers = ReadPeers(options),
                Join = others.Join,
                Keys = others.Keys,
                InitialReplicas = NodeSet.Of(others.Initial),
                Listen = isAlone ? null : listen,
                ClientListen = clients,
                HttpListen = http,
                Tls = tls,
                AllowPlaintext = options.AllowPlaintext,
                Token = options.Token,
                Clock = clock,
                MaxClockBound = bound,
                Quorums = quorums,
            };
    }

    private static List<NodeDescriptor> ReadNodes(SynodOptions options, List<string> problems)
    {
        if (options.Nodes.Count == 0)
        {
            CheckNumber(options.NodeId, problems);
            return [new NodeDescriptor(new NodeId(options.NodeId), options.ClientListen ?? InProcess)];
        }

        foreach (var node in options.Nodes)
        {
            CheckNumber(node.Id, problems);
        }

        foreach (var twice in options.Nodes.GroupBy(node => node.Id).Where(group => group.Count() > 1))
        {
            problems.Add($"Node {twice.Key} is listed {twice.Count()} times. List each node once.");
        }

        foreach (var node in options.Nodes)
        {
            CheckAddress(node.Address, $"The address of node {node.Id} for other nodes", problems);
            CheckAddress(node.ClientAddress, $"The address of node {node.Id} for clients", problems);
        }

        if (options.Nodes.TrueForAll(node => node.Id != options.NodeId))
        {
            problems.Add(
                $"This is node {options.NodeId}, and the list of nodes does not have it. List every node, this one included, the same everywhere.");
        }

        return [.. options.Nodes.Select(node => new NodeDescriptor(new NodeId(node.Id), node.ClientAddress, node.Address))];
    }

    private static SortedDictionary<NodeId, EndPoint> ReadPeers(SynodOptions options)
    {
        var peers = new SortedDictionary<NodeId, EndPoint>();
        foreach (var node in options.Nodes)
        {
            peers[new NodeId(node.Id)] = Reachable(node.Address);
        }

        return peers;
    }

    private static void CheckNumber(int id, List<string> problems)
    {
        if (id is < 1 or >= NodeSet.Capacity)
        {
            problems.Add($"Node id {id} is out of range. Number the nodes from 1 to {NodeSet.Capacity - 1}.");
        }
    }

    private static void CheckAddress(string address, string whose, List<string> problems)
    {
        if (Split(address) is null || !IsEndPoint(address))
        {
            problems.Add($"{whose} is '{address}', which is not host:port. Write for instance 10.0.0.1:7101.");
        }
    }

    private static bool IsEndPoint(string address)
    {
        try
        {
            _ = NodeOptions.ParseEndPoint(address);
            return true;
        }
        catch (ConfigurationRefused)
        {
            return false;
        }
    }

    private static (string Host, int Port)? Split(string address)
    {
        var colon = address.LastIndexOf(':');
        return colon > 0 && ushort.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? (address[..colon].Trim('[', ']'), port)
            : null;
    }

    private static IPEndPoint? ReadEndPoint(string? address, string purpose, List<string> problems)
    {
        if (address is null || address.Length == 0)
        {
            return null;
        }

        if (Split(address) is not var (host, port))
        {
            problems.Add($"The address {purpose} is '{address}', which is not host:port. Write for instance 127.0.0.1:7201.");
            return null;
        }

        // A name in the list of nodes says where others connect; a socket binds to the machine's addresses.
        return host switch
        {
            "localhost" => new IPEndPoint(IPAddress.Loopback, port),
            "*" => new IPEndPoint(IPAddress.IPv6Any, port),
            _ => IPAddress.TryParse(host, out var ip) ? new IPEndPoint(ip, port) : new IPEndPoint(IPAddress.IPv6Any, port),
        };
    }

    private static TlsOptions? ReadTls(SynodTls? tls, List<string> problems)
    {
        if (tls is null)
        {
            return null;
        }

        foreach (var (path, what) in new[] { (tls.Authority, "authority"), (tls.Certificate, "certificate"), (tls.Key, "key") })
        {
            if (!File.Exists(path))
            {
                problems.Add($"The TLS {what} '{path}' does not exist. Make the files with 'synod cert create'.");
            }
        }

        return new TlsOptions(tls.Authority, tls.Certificate, tls.Key);
    }

    private static void RequireSafe(IPEndPoint? clients, TlsOptions? tls, bool allowPlaintext, List<string> problems)
    {
        if (clients is not null && tls is null && !allowPlaintext && !IPAddress.IsLoopback(clients.Address))
        {
            problems.Add(
                $"Clients would reach {clients} without TLS: everyone on the way could read the data and the token. "
                + "Make certificates with 'synod cert create', or allow plain connections explicitly.");
        }
    }

    private static (IClock Clock, Duration Bound) ReadClock(SynodOptions options, bool isAlone, List<string> problems)
    {
        var source = options.Clock.Source ?? (isAlone ? SynodClockSource.Bound : SynodClockSource.Kernel);
        var milliseconds = options.Clock.MaxOffsetMilliseconds
            ?? (source == SynodClockSource.Kernel ? 250 : isAlone ? 0 : double.NaN);
        if (!double.IsFinite(milliseconds) || milliseconds < 0 || milliseconds > 60_000)
        {
            problems.Add(
                "The clock's bound is missing or not between 0 and 60000 ms. Safety rests on it: give the largest error that this "
                + "machine's clock can have; 0 only if all nodes share one machine's clock.");
            milliseconds = 0;
        }

        var bound = new Duration((long)(milliseconds * 1_000_000));
        return source == SynodClockSource.Kernel
            ? (new KernelClock(), bound)
            : (new BoundedClock(bound), bound + Duration.FromMilliseconds(1));
    }

    private static Func<NodeSet, QuorumSystem> ReadQuorums(
        string text, NodeId[] replicas, List<string> problems)
    {
        try
        {
            var quorums = QuorumText.Parse(text);

            // If the members themselves are in doubt, that has been said.
            if (problems.Count == 0 && quorums(NodeSet.Of(replicas)) is { Refused: { } reason } refused)
            {
                problems.Add(
                    $"The quorums '{refused}' are refused for the replicas of a range, which are {refused.Members}: {reason}. "
                    + "Choose others, or another number of replicas.");
            }

            return quorums;
        }
        catch (ArgumentException problem)
        {
            problems.Add(problem.Message);
            return SizedQuorums.Majority;
        }
    }
}
