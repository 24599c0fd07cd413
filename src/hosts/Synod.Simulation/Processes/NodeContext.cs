using Synod.Core;

namespace Synod.Simulation;

/// <summary>What a step may know: the node's clocks and its own stream of choices.</summary>
internal sealed class NodeContext(SimulatedClock clock, SeededRandom random) : StepContext
{
    public override int Choose(int count) => random.Below(count);

    public void Refresh()
    {
        Now = clock.Monotonic;
        TrueTime = clock.Read();
    }
}
