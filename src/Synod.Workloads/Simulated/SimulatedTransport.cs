using System.Globalization;
using Google.Protobuf;
using Synod.Api;
using Synod.Client;
using Synod.Simulation;

namespace Synod.Workloads.Simulated;

/// <summary>A client's end of the simulated network: requests and responses are bytes on the way, and may get lost.</summary>
public sealed class SimulatedTransport(SimulatedWorld world, SimulatedNetwork network, SimulatedDoors doors, int endpoint)
    : IClientTransport, IEventTarget
{
    private readonly SortedDictionary<ulong, TaskCompletionSource<Response>> _waiting = [];
    private ulong _last;

    /// <summary>How clients call a node of the simulation.</summary>
    public static string AddressOf(int node) => string.Create(CultureInfo.InvariantCulture, $"n{node}:1");

    public async ValueTask<Response> CallAsync(string address, Request request, CancellationToken cancellationToken)
    {
        if (!doors.TryFind(address, out var node))
        {
            throw new DeliveryFailedException($"no node is reached at {address}", maybeDelivered: false);
        }

        request.Id = ++_last;
        var completion = new TaskCompletionSource<Response>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting.Add(request.Id, completion);
        var id = request.Id;
        using var registration = cancellationToken.UnsafeRegister(
            (_, token) =>
            {
                if (_waiting.Remove(id))
                {
                    completion.TrySetCanceled(token);
                }
            },
            null);
        network.Carry(endpoint, node, doors.Of(node, endpoint, this), SimulatedDoors.RequestArrives, SimulatedNetwork.Frame(request.ToByteArray()));
        return await completion.Task;
    }

    public void Handle(in SimulatedEvent happened)
    {
        if (!SimulatedNetwork.TryOpen((byte[])happened.Payload!, out var body))
        {
            return;
        }

        var response = Response.Parser.ParseFrom(body.Span);
        world.Trace.Note(endpoint, (long)response.Id);
        if (!_waiting.Remove(response.Id, out var completion))
        {
            return;
        }

        if (happened.Kind == SimulatedDoors.ResponseArrives)
        {
            completion.TrySetResult(response);
        }
        else
        {
            completion.TrySetException(new DeliveryFailedException(
                "the connection broke", maybeDelivered: happened.Kind == SimulatedDoors.ConnectionBreaks));
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
