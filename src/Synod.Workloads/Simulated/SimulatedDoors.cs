using Google.Protobuf;
using Synod.Api;
using Synod.Core;
using Synod.Simulation;

namespace Synod.Workloads.Simulated;

/// <summary>The nodes' ends of the clients' connections.</summary>
public sealed class SimulatedDoors(SimulatedNetwork network, ICommandTarget<Request, Response> nodes, IReadOnlyList<NodeId> ids)
{
    public const int RequestArrives = 1;
    public const int ResponseArrives = 2;
    public const int ConnectionBreaks = 3;
    public const int ConnectionRefused = 4;

    private readonly SortedList<(int Node, int Client), Door> _doors = [];
    private readonly Dictionary<string, int> _byAddress = ids.ToDictionary(id => SimulatedTransport.AddressOf(id.Value), id => id.Value);
    private readonly CodecWriter _encoder = new();

    /// <summary>Requests that met a process which was down.</summary>
    public long Refused { get; private set; }

    /// <summary>Requests whose process died with them.</summary>
    public long Broken { get; private set; }

    public bool TryFind(string address, out int node) => _byAddress.TryGetValue(address, out node);

    internal IEventTarget Of(int node, int client, IEventTarget transport)
    {
        if (!_doors.TryGetValue((node, client), out var door))
        {
            _doors.Add((node, client), door = new Door(this, new NodeId(node), client, transport));
        }

        return door;
    }

    /// <summary>The message on its way.</summary>
    internal byte[] Frame(IMessage message)
    {
        _encoder.Clear();
        message.WriteTo(_encoder);
        return SimulatedNetwork.Frame(_encoder.Span);
    }

    /// <summary>One client's connection to one node.</summary>
    private sealed class Door(SimulatedDoors doors, NodeId node, int client, IEventTarget transport)
        : IEventTarget, IAnswerReceiver<Response>
    {
        public void Handle(in SimulatedEvent happened)
        {
            if (!SimulatedNetwork.TryOpen((byte[])happened.Payload!, out var body))
            {
                return;
            }

            var request = Request.Parser.ParseFrom(body.Span);
            if (!doors.Nodes.Submit(node, request, this, (long)request.Id))
            {
                doors.Refused++;
                Send(ConnectionRefused, new Response { Id = request.Id });
            }
        }

        public void OnAnswer(NodeId from, long tag, Response result)
        {
            // A protocol may keep the object that it answered with: it stays as it was.
            var before = result.Id;
            result.Id = (ulong)tag;
            Send(ResponseArrives, result);
            result.Id = before;
        }

        public void OnLost(NodeId from, long tag)
        {
            doors.Broken++;
            Send(ConnectionBreaks, new Response { Id = (ulong)tag });
        }

        private void Send(int kind, Response response) => doors.Network.Carry(
            node.Value, client, transport, kind, doors.Frame(response));
    }

    private SimulatedNetwork Network { get; } = network;

    private ICommandTarget<Request, Response> Nodes { get; } = nodes;
}
