using System.Text.Json;
using System.Text.Json.Serialization;

namespace Synod.Hosting;

/// <summary>
/// What a node is told at its start. The least is a <see cref="DataFolder"/>: a cluster of one node inside this process, without
/// any port. A cluster of several lists all its <see cref="Nodes"/>, the same on each of them; or each node lists itself, has the
/// <see cref="ClusterKeys"/>, and all but the first <see cref="Join"/> one that is there.
/// </summary>
public sealed class SynodOptions
{
    /// <summary>This node's number, from 1.</summary>
    public int NodeId { get; set; } = 1;

    /// <summary>The cluster's name, the same on all nodes. Nodes of another name are refused.</summary>
    public string Cluster { get; set; } = "synod";

    /// <summary>Where the data is kept; made if missing. One process at a time uses it.</summary>
    public string DataFolder { get; set; } = "";

    /// <summary>
    /// The node lost its data folder and starts with an empty one, as a new replica. Nothing to set on a first start, and harmless once
    /// the node is back.
    /// </summary>
    public bool Rejoin { get; set; }

    /// <summary>
    /// Every node of the cluster, this one included; empty for a node alone. With <see cref="ClusterKeys"/> this node is enough: it finds
    /// the others.
    /// </summary>
    public List<SynodNodeAddress> Nodes { get; set; } = [];

    /// <summary>
    /// Where to ask for the other nodes, as <c>host:port</c> of any of them; one that answers is enough. Needs <see cref="ClusterKeys"/>.
    /// </summary>
    public List<string> Join { get; set; } = [];

    /// <summary>
    /// The secrets that all nodes share, each 32 random bytes as base64. Nodes gossip under them and let in whoever has one; the first
    /// seals, all open, so that one can be replaced while the cluster runs. Connections go by <see cref="Tls"/> all the same.
    /// </summary>
    public List<string> ClusterKeys { get; set; } = [];

    /// <summary>Where to listen for nodes, as <c>host:port</c>; by default the node's own address in <see cref="Nodes"/>.</summary>
    public string? Listen { get; set; }

    /// <summary>
    /// Where to listen for clients, as <c>host:port</c>; by default the node's own client address in <see cref="Nodes"/>, and no port
    /// at all for a node alone.
    /// </summary>
    public string? ClientListen { get; set; }

    /// <summary>Where to serve <c>/healthz</c>, <c>/metrics</c> and <c>/status</c> over HTTP, as <c>host:port</c>; null for nowhere.</summary>
    public string? HttpListen { get; set; }

    /// <summary>The certificates of TLS, between nodes and towards clients; null for plain connections.</summary>
    public SynodTls? Tls { get; set; }

    /// <summary>Permits plain connections beyond this machine. Everyone on the way can read the data and the token.</summary>
    public bool AllowPlaintext { get; set; }

    /// <summary>What clients must present; null lets in everybody who reaches the port.</summary>
    public string? Token { get; set; }

    /// <summary>What is known of this machine's clock.</summary>
    public SynodClock Clock { get; set; } = new();

    /// <summary>
    /// Replicas of each range; at most the number of nodes. Where nodes find each other, the nodes 1 to this number hold the first range.
    /// </summary>
    public int Replicas { get; set; } = 3;

    /// <summary>
    /// Which replicas elect and which replicate: <c>majority</c>; two sizes as <c>4/2</c> (to elect, to replicate); a grid as
    /// <c>grid 2x3</c> (a column elects, a row replicates); weights as <c>weights 3,1,1,1 4/3</c>, one for each replica in order of
    /// node numbers; or zones as <c>zones 1,2,3|4,5,6|7,8,9 survive 1 node 1 zone</c>, the nodes of each zone, and how many nodes of every zone
    /// and how many whole zones may be lost. An unsafe choice is refused with the reason. The same on all nodes.
    /// </summary>
    public string Quorums { get; set; } = "majority";

    private static string Names => string.Join(", ", SynodOptionsJson.Default.SynodOptions.Properties.Select(property => property.Name));

    /// <summary>Reads options from a JSON file; names as of the properties, in any case. Comments are permitted.</summary>
    /// <exception cref="SynodConfigurationException">The file is missing, is no JSON, or has a name that means nothing.</exception>
    public static SynodOptions FromFile(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return JsonSerializer.Deserialize(file, SynodOptionsJson.Default.SynodOptions)
                ?? throw new SynodConfigurationException([$"The configuration {path} is 'null'. Write a JSON object into it."]);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SynodConfigurationException([$"The configuration {path} cannot be read: {failure.Message} Check the path."]);
        }
        catch (JsonException failure)
        {
            throw new SynodConfigurationException(
                [$"The configuration {path} is not understood: {failure.Message} Correct it there; the names are {Names}."]);
        }
    }
}

/// <summary>Where a node is reached.</summary>
public sealed class SynodNodeAddress
{
    /// <summary>The node's number.</summary>
    public int Id { get; set; }

    /// <summary>Where other nodes connect, as <c>host:port</c>.</summary>
    public string Address { get; set; } = "";

    /// <summary>Where clients connect, as <c>host:port</c>.</summary>
    public string ClientAddress { get; set; } = "";
}

/// <summary>The PEM files of TLS, as <c>synod cert create</c> makes them.</summary>
public sealed class SynodTls
{
    /// <summary>The cluster's authority, <c>ca.crt</c>.</summary>
    public string Authority { get; set; } = "";

    /// <summary>The node's certificate.</summary>
    public string Certificate { get; set; } = "";

    /// <summary>The private key of the certificate.</summary>
    public string Key { get; set; } = "";
}

/// <summary>Where the bound on this machine's clock error comes from.</summary>
public enum SynodClockSource
{
    /// <summary>The kernel's own error bound (adjtimex), as the time daemon maintains it.</summary>
    Kernel,

    /// <summary>A bound that the operator vouches for; safety rests on it.</summary>
    Bound,
}

/// <summary>What is known of this machine's clock.</summary>
public sealed class SynodClock
{
    /// <summary>
    /// Where the bound comes from; null chooses: the kernel for a cluster of several nodes, a bound of zero for a node alone, which
    /// shares its clock with nobody.
    /// </summary>
    public SynodClockSource? Source { get; set; }

    /// <summary>
    /// With the kernel: the largest error bound, in milliseconds, at which the clock is still trusted. With a bound: the bound. Null
    /// is 250 with the kernel and 0 for a node alone.
    /// </summary>
    public double? MaxOffsetMilliseconds { get; set; }
}

/// <summary>The configuration cannot be used. Each line says what is wrong, what that means and what to do.</summary>
public sealed class SynodConfigurationException(IReadOnlyList<string> problems) : Exception(string.Join(Environment.NewLine, problems))
{
    /// <summary>Everything that is wrong, so that it can be corrected in one go.</summary>
    public IReadOnlyList<string> Problems { get; } = problems;
}

[JsonSourceGenerationOptions(
    PropertyNameCaseInsensitive = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(SynodOptions))]
internal sealed partial class SynodOptionsJson : JsonSerializerContext;
