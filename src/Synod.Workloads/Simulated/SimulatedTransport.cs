using System.Globalization;
using Synod.Api;
using Synod.Client;
using Synod.Simulation;

namespace Synod.Workloads.Simulated;

/// <summary>A client's end of the simulated network: requests and responses are bytes on the way, and may get lost.</summary>
public sealed class SimulatedTransport(SimulatedWorld world, SimulatedNetwork network, SimulatedDoors doors, int endpoint)
    : IClientTransport, IEventTarget
{
    private readonly Dictionary<ulong, Call> _waiting = [];
    private ulong _last;

    /// <summary>How clients call a node of the simulation.</summary>
    public static string AddressOf(int node) => string.Create(CultureInfo.InvariantCulture, $"n{node}:1");

    public ValueTask<Response> CallAsync(string address, Request request, CancellationToken cancellationToken)
    {
        if (!doors.TryFind(address, out var node))
        {
            return ValueTask.FromException<Response>(new DeliveryFailedException($"no node is reached at {address}", maybeDelivered: false));
        }

        request.Id = ++_last;
        var call = new Call(this, request.Id);
        _waiting.Add(request.Id, call);
        call.Cancellation = cancellationToken.UnsafeRegister(static (call, token) => ((Call)call!).Cancel(token), call);
        network.Carry(endpoint, node, doors.Of(node, endpoint, this), SimulatedDoors.RequestArrives, doors.Frame(request));
        return new ValueTask<Response>(call.Task);
    }

    public void Handle(in SimulatedEvent happened)
    {
        if (!SimulatedNetwork.TryOpen((byte[])happened.Payload!, out var body))
        {
            return;
        }

        var response = Response.Parser.ParseFrom(body.Span);
        world.Trace.Note(endpoint, (long)response.Id);
        if (!_waiting.Remove(response.Id, out var call))
        {
            return;
        }

        call.Cancellation.Unregister();
        if (happened.Kind == SimulatedDoors.ResponseArrives)
        {
            call.TrySetResult(response);
        }
        else
        {
            call.TrySetException(new DeliveryFailedException(
                "the connection broke", maybeDelivered: happened.Kind == SimulatedDoors.ConnectionBreaks));
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>A request on its way; whoever waits for it goes on in an event of its own.</summary>
    private sealed class Call(SimulatedTransport transport, ulong id)
        : TaskCompletionSource<Response>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public CancellationTokenRegistration Cancellation { get; set; }

        public void Cancel(CancellationToken token)
        {
            if (transport._waiting.Remove(id))
            {
                TrySetCanceled(token);
            }
        }
    }
}
