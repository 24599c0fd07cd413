using Akka.Actor;
using Akka.Cluster;
using Akka.DistributedData;
using Akka.DistributedData.Serialization;

namespace Synod.Bench.Convergent;

/// <summary>Akka.NET's types as its replicator uses them: immutable, a delta beside the state, and its own serializer.</summary>
internal sealed class AkkaStates : IDisposable
{
    private readonly ActorSystem _system = ActorSystem.Create("bench", "akka.loglevel = OFF\nakka.stdout-loglevel = OFF\nakka.log-dead-letters = off");
    private readonly ReplicatedDataSerializer _serializer;

    public AkkaStates() => _serializer = new((ExtendedActorSystem)_system);

    public static UniqueAddress Node(int number) => new(new Address("akka.tcp", "bench", $"10.0.0.{number}", 4053), 1_234_567_890 + number);

    /// <summary>A set of these elements, without the delta that made it.</summary>
    public static ORSet<string> Set(IEnumerable<string> elements)
    {
        var (set, node) = (ORSet<string>.Empty, Node(1));
        foreach (var element in elements)
        {
            set = set.Add(node, element).ResetDelta();
        }

        return set;
    }

    public int Bytes(object state) => _serializer.ToBinary(state).Length;

    public void Dispose() => _system.Terminate().Wait();
}
