namespace Synod.Crdt.Tests.Laws;

/// <summary>Every type keeps every law: in all short runs of two replicas, and in long drawn ones of three (notes §8).</summary>
public sealed class LawTests
{
    [Fact]
    public void GCounter() => Checkers.GCounter().Verify(exhaustiveSteps: 4);

    [Fact]
    public void PnCounter() => Checkers.PnCounter().Verify();

    [Fact]
    public void BoundedCounter() => Checkers.BoundedCounter().Verify();

    [Fact]
    public void ResettableCounter() => Checkers.ResettableCounter().Verify(exhaustiveSteps: 4);

    [Fact]
    public void ResettableCounter_that_is_folded() => Checkers.FoldedCounter().Verify();

    [Fact]
    public void LwwRegister() => Checkers.LwwRegister().Verify(exhaustiveSteps: 4);

    [Fact]
    public void MvRegister() => Checkers.MvRegister().Verify(exhaustiveSteps: 4);

    [Fact]
    public void EnableWinsFlag() => Checkers.EnableWinsFlag().Verify(exhaustiveSteps: 4);

    [Fact]
    public void DisableWinsFlag() => Checkers.DisableWinsFlag().Verify(exhaustiveSteps: 4);

    [Fact]
    public void GSet() => Checkers.GSet().Verify();

    [Fact]
    public void TwoPhaseSet() => Checkers.TwoPhaseSet().Verify();

    [Theory]
    [InlineData(Bias.Add)]
    [InlineData(Bias.Remove)]
    public void LwwElementSet(Bias bias) => Checkers.LwwElementSet(bias).Verify();

    [Fact]
    public void OrSet() => Checkers.OrSet().Verify(exhaustiveSteps: 4);

    [Fact]
    public void RemoveWinsSet() => Checkers.RemoveWinsSet().Verify();

    [Fact]
    public void OrMap_of_sets() => Checkers.MapOfSets().Verify();

    [Fact]
    public void OrMap_of_fields() => Checkers.MapOfFields().Verify(exhaustiveSteps: 2, runs: 100);

    [Fact]
    public void Sequence() => Checkers.Sequence().Verify();
}
