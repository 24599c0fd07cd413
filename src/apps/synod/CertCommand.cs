using System.CommandLine;
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
    private static readonly Option<int[]> Nodes = new("--node") { Description = "A node's number; repeat for more." };
    private static readonly Option<string[]> Hosts = new("--host") { Description = "A name or address of these nodes besides localhost; repeat for more." };

    public static Command Create()
    {
        var create = new Command("create", "Makes ca.crt and ca.key if there is no authority yet, and node-ID.crt and node-ID.key for each node.")
        {
            Folder, Cluster, Nodes, Hosts,
        };
        create.SetAction((parsed, _) => Terminal.RunAsync(() => Task.FromResult(Make(parsed))));
        return new Command("cert", "Makes certificates for TLS.") { create };
    }

    private static int Make(ParseResult parsed)
    {
        var folder = parsed.GetValue(Folder)!;
        if (!File.Exists(Path.Combine(folder, "ca.crt")))
        {
            Certificates.CreateAuthority(folder, parsed.GetValue(Cluster)!);
            Console.Out.WriteLine(Path.Combine(folder, "ca.crt"));
        }

        foreach (var node in parsed.GetValue(Nodes) ?? [])
        {
            Console.Out.WriteLine(Certificates.CreateNode(folder, new NodeId(node), parsed.GetValue(Hosts) ?? []).Certificate);
        }

        return ExitCodes.Done;
    }
}
