using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Synod.App.Protocols.Load;
using Synod.App.Protocols.Nodes;
using Synod.Core;
using Synod.Node;
using Synod.Protocols.Byzantine;

namespace Synod.App.Protocols;

/// <summary>Where one node of a protocol listens.</summary>
internal sealed record ProtocolAddress(int Id, int Port, int ClientPort);

/// <summary>What all processes of one run agree on beforehand; a file in the run's folder, without secrets.</summary>
internal sealed record ProtocolSettings
{
    public const string FileName = "protocol.json";

    /// <summary>Clients of protocols that name them are numbered from here, above all nodes.</summary>
    public const int FirstClient = 1_000;

    public required string Protocol { get; init; }

    public required string Cluster { get; init; }

    public required IReadOnlyList<ProtocolAddress> Nodes { get; init; }

    /// <summary>As <see cref="QuorumText"/> reads them.</summary>
    public string Quorums { get; init; } = QuorumText.Majority;

    public int Clients { get; init; }

    /// <summary>Slots or instances under way at once; 0 for the protocol's own choice.</summary>
    public int Pipeline { get; init; }

    /// <summary>Commands in one batch or block at most; 0 for the protocol's own choice.</summary>
    public int Block { get; init; }

    /// <summary>Whether clients sign what they ask for, where the protocol has signatures, and every node checks it.</summary>
    public bool ClientSignatures { get; init; } = true;

    /// <summary>Whether a snapshot tells what went before it by colours and counts, and not by the order of a channel.</summary>
    public bool Unordered { get; init; }

    /// <summary>Bytes of a node's log after which a checkpoint lets go of it.</summary>
    public long CheckpointBytes { get; init; } = long.MaxValue;

    /// <summary>Whether nodes talk to each other over TLS.</summary>
    public bool Tls { get; init; }

    [JsonIgnore]
    public NodeSet Members => NodeSet.Of([.. Nodes.Select(node => new NodeId(node.Id))]);

    /// <exception cref="ArgumentException">The quorums mean nothing, or are refused for these nodes.</exception>
    [JsonIgnore]
    public QuorumSystem QuorumSystem => QuorumText.Parse(Quorums)(Members).Validated();

    [JsonIgnore]
    public Dictionary<NodeId, EndPoint> Peers =>
        Nodes.ToDictionary(node => new NodeId(node.Id), node => (EndPoint)new IPEndPoint(IPAddress.Loopback, node.Port));

    public void Save(string folder) => File.WriteAllText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this));

    /// <exception cref="ConfigurationRefused">The file is none.</exception>
    public static ProtocolSettings Load(string folder)
    {
        var file = Path.Combine(folder, FileName);
        return File.Exists(file) && JsonSerializer.Deserialize<ProtocolSettings>(File.ReadAllText(file)) is { } settings
            ? settings
            : throw new ConfigurationRefused($"There is no {file}: 'synod bench protocol' writes it before it starts the nodes.");
    }

    /// <summary>Makes an Ed25519 key for every node and client, each in a file of its own.</summary>
    public void CreateKeys(string folder)
    {
        foreach (var owner in KeyOwners())
        {
            File.WriteAllBytes(KeyFile(folder, owner), System.Security.Cryptography.RandomNumberGenerator.GetBytes(Ed25519Signer.PrivateKeySize));
        }
    }

    /// <summary>The signer of a node, which knows everybody's public key.</summary>
    public CountedSigner NodeSigner(string folder, NodeId self)
    {
        var keys = KeyOwners().ToDictionary(owner => owner, owner => Ed25519Signer.PublicKeyOf(File.ReadAllBytes(KeyFile(folder, owner))));
        return new CountedSigner(new Ed25519Signer(self, File.ReadAllBytes(KeyFile(folder, self)), keys), believesClients: !ClientSignatures);
    }

    /// <summary>The signer of a client, which counts equal answers of connections that it knows and checks no signature.</summary>
    public ISigner ClientSigner(string folder, NodeId self) => ClientSignatures
        ? new Ed25519Signer(self, File.ReadAllBytes(KeyFile(folder, self)), new Dictionary<NodeId, byte[]>())
        : new Unsigned(self);

    private IEnumerable<NodeId> KeyOwners() =>
        Nodes.Select(node => new NodeId(node.Id)).Concat(Enumerable.Range(FirstClient, Clients).Select(client => new NodeId(client)));

    private static string KeyFile(string folder, NodeId owner) =>
        Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{owner.Value}.ed25519"));
}
