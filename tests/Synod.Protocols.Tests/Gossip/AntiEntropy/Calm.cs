using Synod.Core;

namespace Synod.Protocols.Tests.Gossip.AntiEntropy;

/// <summary>Time stands still and choices are zero.</summary>
internal sealed class Calm : StepContext
{
    public static Calm Context { get; } = new();

    private Calm() => TrueTime = new TimeInterval(new Timestamp(1), new Timestamp(1), ClockStatus.Synchronized);

    public override int Choose(int count) => 0;
}
