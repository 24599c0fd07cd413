using System.CommandLine;
using System.Text.Json.Nodes;
using Synod.Core;
using Synod.Node;

namespace Synod.App;

/// <summary><c>synod cert create</c>: the certificates of a cluster.</summary>
internal static class CertCommand
{
    private static readonly Option<string> Folder = new("--folder", "-f")
    {
        Description = "Where the files go; an authority that is there is used.",
        DefaultValueFactory = _ => "certs",
    };

    private static readonly Option<string> Cluster = new("--cluster") { Description = "The cluster's name.", DefaultValueFactory = _ => "synod" };
    private static readonly Option<int[]> Nodes = new Option<int[]>("--node") { Description = "A node's number; repeat for more." }.Between(1, NodeSet.Capacity - 1);
    private static readonly Option<string[]> Hosts = new("--host") { Description = "A name or address of these nodes besides localhost; repeat for more." };

    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object." };

    public static Command Create()
    {
        var create = new Command(
            "create",
            "Makes ca.crt and ca.key if there is no authority yet, cluster.key if there is none, and node-ID.crt and node-ID.key for each node. "
            + "Nodes start with --certs FOLDER, clients connect with --ca FOLDER/ca.crt. ca.key makes new nodes: keep it off them. "
            + "Example: synod cert create --node 1 --node 2 --node 3 --host db.example.org")
        {
            Folder, Cluster, Nodes, Hosts, Json,
        };
        create.SetAction((parsed, _) => Terminal.RunAsync(() => Task.FromResult(Make(parsed))));
        return new Command("cert", "Makes certificates for TLS.") { create };
    }

    private static int Make(ParseResult parsed)
    {
        var folder = parsed.GetValue(Folder)!;
        var nodes = parsed.GetValue(Nodes) ?? [];
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception refusal) when (refusal is IOException or UnauthorizedAccessException)
        {
            throw new ArgumentException($"--folder '{folder}' is no folder and cannot become one: {refusal.Message} Nothing was made. Name another.", refusal);
        }

        var made = new List<string>();
        if (!File.Exists(Path.Combine(folder, "ca.crt")))
        {
            Certificates.CreateAuthority(folder, parsed.GetValue(Cluster)!);
            made.Add(Path.Combine(folder, "ca.crt"));
        }

        if (Path.Combine(folder, "cluster.key") is var key && !File.Exists(key))
        {
            Certificates.CreateClusterKey(key);
            made.Add(key);
        }

        foreach (var node in nodes)
        {
            made.Add(Certificates.CreateNode(folder, new NodeId(node), parsed.GetValue(Hosts) ?? []).Certificate);
        }

        if (parsed.GetValue(Json))
        {
            Terminal.Json(new JsonObject { ["made"] = new JsonArray([.. made.Select(file => (JsonNode)file)]) });
        }
        else
        {
            made.ForEach(Console.Out.WriteLine);
        }

        return ExitCodes.Done;
    }
}
