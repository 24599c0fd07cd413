using Synod.Core;

namespace Synod.Lab.Worlds;

/// <summary>Time stands still, and of several choices it is the first.</summary>
internal sealed class Still : StepContext
{
    public override int Choose(int count) => 0;
}
