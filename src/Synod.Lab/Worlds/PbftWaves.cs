using Synod.Core;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Worlds;

/// <summary>
/// Views that follow each other before what prepared in them is known to all. Everybody is correct and hears of other requests, so that
/// each primary has something else to propose.
/// </summary>
internal static class PbftWaves
{
    private const int Views = 3;
    private const int Phases = 4;

    /// <exception cref="InvariantViolation">Two replicas execute different batches in a slot, or a decision does not stand.</exception>
    public static void Run(ulong seed, PbftMutation mutation)
    {
        var group = new Quartet(Quartet.Small with { Mutation = mutation });
        var executed = new SortedDictionary<Slot, Digest>();
        var waves = new Waves<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>(seed, Quartet.Replicas, group.Replica)
        {
            Watch = (_, outbox) =>
            {
                foreach (var (slot, command) in outbox.Executions)
                {
                    var digest = ((Pbft.Command.Apply)command).Batch.Digest;
                    Invariant.Check(
                        executed.TryAdd(slot, digest) || executed[slot] == digest, Pbft.Agreement, $"{slot}: {digest} after {executed[slot]}");
                }
            },
        };
        waves.Submit(Quartet.A, new Pbft.Command.Order(group.Request(Quartet.X, 1, "x+")));
        for (var view = 1; view <= Views; view++)
        {
            Roll(waves, Phases);
            waves.Submit(waves.AnyNode(), new Pbft.Command.Order(group.Request(Quartet.Y, view, "y+")));
            waves.FireSome((int)Pbft.Timer.Request);
            waves.FireSome((int)Pbft.Timer.NewView);
        }

        Roll(waves, 2 * Phases);
    }

    private static void Roll(Waves<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result> waves, int count)
    {
        for (; count > 0; count--)
        {
            waves.Roll(waves.Draw());
        }
    }
}
