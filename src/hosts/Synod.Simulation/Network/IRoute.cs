using Synod.Core;

namespace Synod.Simulation;

/// <summary>Decides about every frame between two endpoints, in place of conditions and chance: for runs that follow a script.</summary>
public interface IRoute
{
    /// <summary>How long the frame takes from now on, or null if it is lost.</summary>
    Duration? Delay(int from, int to, byte[] frame);
}
