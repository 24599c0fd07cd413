using System.Net;
using Synod.Core;
using Synod.Database;
using Synod.Node;

namespace Synod.Hosting;

/// <summary>How a node comes to know the others: from a list, or from one of them.</summary>
internal sealed partial record NodeSettings
{
    /// <param name="FindsOthers">Whether the list of nodes is only where to begin.</param>
    /// <param name="Initial">The replicas of the range that the cluster begins with.</param>
    private sealed record Others(ClusterKeys? Keys, IReadOnlyList<EndPoint> Join, bool FindsOthers, NodeId[] Initial)
    {
        public static Others Read(SynodOptions options, IReadOnlyList<NodeDescriptor> nodes, List<string> problems)
        {
            var keys = ReadKeys(options, problems);
            if (options.Join.Count > 0 && options.ClusterKeys.Count == 0)
            {
                problems.Add("A node that joins needs the cluster's key: without it nobody answers. 'synod cert create' makes one, cluster.key.");
            }

            if (keys is not null && options.Nodes.Count == 0)
            {
                problems.Add(
                    "A node with a cluster key has to say where it is reached. List this node with its addresses, as ID=HOST:PORT/CLIENTPORT.");
            }

            foreach (var address in options.Join)
            {
                CheckAddress(address, "An address to join", problems);
            }

            IReadOnlyList<EndPoint> join = [.. options.Join.Where(IsEndPoint).Select(Reachable)];
            var findsOthers = keys is not null && (options.Join.Count > 0 || nodes.Count == 1);
            var count = Math.Clamp(options.Replicas, 1, NodeSet.Capacity - 1);
            NodeId[] initial = findsOthers
                ? [.. Enumerable.Range(1, count).Select(id => new NodeId(id))]
                : [.. nodes.Select(node => node.Id).Order().Take(count)];
            return new Others(keys, join, findsOthers, initial);
        }

        private static ClusterKeys? ReadKeys(SynodOptions options, List<string> problems)
        {
            try
            {
                return options.ClusterKeys.Count == 0 ? null : new ClusterKeys(options.ClusterKeys);
            }
            catch (ConfigurationRefused refused)
            {
                problems.Add(refused.Message);
                return null;
            }
        }
    }

    private static EndPoint Reachable(string address) =>
        NodeOptions.ParseEndPoint(address) is DnsEndPoint { Host: "localhost", Port: var port }
            ? new IPEndPoint(IPAddress.Loopback, port)
            : NodeOptions.ParseEndPoint(address);
}
