using CsCheck;
using Xunit;

namespace Synod.Core.Tests.Quorums;

/// <summary>Howard, Malkhi and Spiegelman 2016: safe is, and only is, that every phase-1 quorum meets every phase-2 quorum.</summary>
public sealed class QuorumTests
{
    internal static readonly Gen<QuorumSystem> Systems = Gen.OneOf(
        Gen.Select(Gen.Int[1, 5], Gen.Int[0, 6], Gen.Int[0, 6], (size, one, two) => (QuorumSystem)new SizedQuorums(Members(size), one, two)),
        Gen.Select(Gen.Int[0, 3].Array[1, 5], Gen.Int[0, 8], Gen.Int[0, 8], (weights, one, two) =>
            (QuorumSystem)new WeightedQuorums(Members(weights.Length), [.. weights], one, two)),
        Gen.Select(Gen.Int[1, 6], Gen.Int[1, 3], Gen.Int[1, 3], (size, rows, columns) =>
            (QuorumSystem)new GridQuorums(Members(size), rows, columns)),
        Gen.Select(Gen.Int[1, 3].Array[1, 3], Gen.Int[-1, 3], Gen.Int[-1, 3], (sizes, nodes, zones) => (QuorumSystem)Zones(sizes, nodes, zones)));

    [Fact]
    public void What_is_validated_has_no_disjoint_quorums() => Systems.Sample(system =>
    {
        if (Accepts(system))
        {
            Assert.Null(Disjoint(system));
        }
    });

    [Fact]
    public void A_sized_system_is_refused_only_if_it_has_disjoint_quorums_or_none() =>
        Gen.Select(Gen.Int[1, 6], Gen.Int[1, 7], Gen.Int[1, 7]).Sample((size, one, two) =>
        {
            var system = new SizedQuorums(Members(size), one, two);
            Assert.Equal(Disjoint(system) is null && one <= size && two <= size, Accepts(system));
        });

    [Fact]
    public void A_system_of_zones_is_refused_only_if_it_has_disjoint_quorums_or_none_or_spares_more_than_there_is() =>
        Gen.Select(Gen.Int[1, 3].Array[1, 3], Gen.Int[0, 3], Gen.Int[0, 3]).Sample((sizes, nodes, zones) =>
        {
            var system = Zones(sizes, nodes, zones);
            Assert.Equal(sizes.All(size => size > nodes) && zones < sizes.Length, Accepts(system));
            Assert.True(!Accepts(system) || Disjoint(system) is null);
        });

    [Fact]
    public void Zones_replicate_near_and_elect_far()
    {
        // 1 2 3 | 4 5 6 | 7 8 9, one node of each zone and one whole zone may fail.
        var system = (ZoneQuorums)Zones([3, 3, 3], 1, 1).Validated();
        Assert.True(system.IsPhase2(Set(1, 2, 4, 5)));
        Assert.False(system.IsPhase2(Set(1, 2, 3, 4, 7)));
        Assert.True(system.IsPhase1(Set(4, 6, 8, 9)));
        Assert.False(system.IsPhase1(Set(1, 2, 3, 4, 7)));
        Assert.Equal("zones 1,2,3|4,5,6|7,8,9 survive 1 node 1 zone", system.ToString());
        Assert.Contains("two zones", (system with { Zones = [system.Zones[0], system.Zones[0]] }).Unsafe());
        Assert.Contains("nobody else", (system with { Zones = system.Zones[1..] }).Unsafe());
    }

    [Fact]
    public void Systems_survive_their_binary_form() => Systems.Sample(system =>
    {
        var writer = new CodecWriter();
        new QuorumWire().Write(writer, system);
        var reader = new CodecReader(writer.ToArray());
        Assert.Equal(system, new QuorumWire().Read(ref reader));
        Assert.True(reader.IsComplete);
    });

    [Fact]
    public void More_votes_never_hurt_and_strangers_never_help() => Gen.Select(Systems, Gen.Int[0, 255], Gen.Int[0, 255]).Sample((system, some, more) =>
    {
        if (!Accepts(system))
        {
            return;
        }

        var (few, many) = (Votes(some), Votes(some | more));
        Assert.True(!system.IsPhase1(few) || system.IsPhase1(many));
        Assert.True(!system.IsPhase2(few) || system.IsPhase2(many));
        Assert.Equal(system.IsPhase1(few.Intersect(system.Members)), system.IsPhase1(few));
        Assert.Equal(system.IsPhase2(few.Intersect(system.Members)), system.IsPhase2(few));
    });

    [Fact]
    public void Two_and_two_of_four_are_refused_with_the_reason()
    {
        var refused = Assert.Throws<ArgumentException>(() => new SizedQuorums(Members(4), 2, 2).Validated());
        Assert.Equal(
            "Quorum system '2/2' over 4 members is refused: 2 + 2 is not more than 4, so an election by 2 may miss a value chosen by "
            + "the other 2; 3/2 always meet.",
            refused.Message);
    }

    [Theory]
    [InlineData(5, 4, 2)]
    [InlineData(4, 3, 2)]
    [InlineData(3, 3, 1)]
    [InlineData(1, 1, 1)]
    public void Flexible_sizes_are_accepted(int size, int phase1, int phase2)
    {
        var system = new SizedQuorums(Members(size), phase1, phase2);
        Assert.Same(system, system.Validated());
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 2)]
    [InlineData(4, 3)]
    [InlineData(5, 3)]
    public void A_majority_is_more_than_half_of_all_members(int size, int votes)
    {
        var majority = (SizedQuorums)SizedQuorums.Majority(Members(size)).Validated();
        Assert.Equal((votes, votes), (majority.Phase1, majority.Phase2));
    }

    [Fact]
    public void Absurd_systems_are_refused()
    {
        Assert.Throws<ArgumentException>(() => SizedQuorums.Majority(NodeSet.Empty).Validated());
        Assert.Throws<ArgumentException>(() => new SizedQuorums(Members(3), 0, 4).Validated());
        Assert.Throws<ArgumentException>(() => new SizedQuorums(Members(3), 4, 1).Validated());
        Assert.Throws<ArgumentException>(() => new WeightedQuorums(Members(3), [1, 1], 2, 1).Validated());
        Assert.Throws<ArgumentException>(() => new WeightedQuorums(Members(2), [3, -1], 2, 1).Validated());
        Assert.Throws<ArgumentException>(() => new WeightedQuorums(Members(2), [1, 1], 1, 1).Validated());
        Assert.Throws<ArgumentException>(() => new GridQuorums(Members(5), 2, 3).Validated());

        // 100 · 42,949,673 is 4 in 32 bits.
        Assert.Throws<ArgumentException>(() => new GridQuorums(Members(4), 100, 42_949_673).Validated());
    }

    [Fact]
    public void Weights_are_counted_and_compared_by_value()
    {
        var system = new WeightedQuorums(Members(3), [3, 1, 1], 3, 3);
        Assert.Null(system.Unsafe());
        Assert.True(system.IsPhase1(NodeSet.Of(new NodeId(1))));
        Assert.False(system.IsPhase2(NodeSet.Of(new NodeId(2), new NodeId(3))));
        Assert.Equal(system, new WeightedQuorums(Members(3), [3, 1, 1], 3, 3));
        Assert.NotEqual(system, new WeightedQuorums(Members(3), [1, 3, 1], 3, 3));
        Assert.Equal("weights 3,1,1 3/3", system.ToString());
    }

    [Fact]
    public void A_column_elects_and_a_row_replicates()
    {
        // 1 2 3
        // 4 5 6
        var grid = (GridQuorums)new GridQuorums(Members(6), 2, 3).Validated();
        Assert.True(grid.IsPhase1(NodeSet.Of(new NodeId(2), new NodeId(5))));
        Assert.False(grid.IsPhase1(NodeSet.Of(new NodeId(1), new NodeId(2), new NodeId(3), new NodeId(4)).Without(new NodeId(1))));
        Assert.True(grid.IsPhase2(NodeSet.Of(new NodeId(4), new NodeId(5), new NodeId(6))));
        Assert.False(grid.IsPhase2(NodeSet.Of(new NodeId(1), new NodeId(2), new NodeId(6))));
    }

    internal static NodeSet Members(int count) => NodeSet.Of([.. Enumerable.Range(1, count).Select(id => new NodeId(id))]);

    /// <summary>Zones of the given sizes, filled one after the other.</summary>
    private static ZoneQuorums Zones(int[] sizes, int nodeFaults, int zoneFaults)
    {
        var next = 0;
        return new ZoneQuorums(
            Members(sizes.Sum()),
            [.. sizes.Select(size => NodeSet.Of([.. Enumerable.Range(0, size).Select(_ => new NodeId(++next))]))],
            nodeFaults,
            zoneFaults);
    }

    private static NodeSet Set(params int[] ids) => NodeSet.Of([.. ids.Select(id => new NodeId(id))]);

    private static NodeSet Votes(int bits) => NodeSet.FromBits((UInt128)(uint)bits);

    private static bool Accepts(QuorumSystem system)
    {
        try
        {
            return system.Validated() == system;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static (NodeSet, NodeSet)? Disjoint(QuorumSystem system)
    {
        for (var bits = 0; bits < 1 << system.Members.Count; bits++)
        {
            var votes = Votes(bits << 1);
            var rest = system.Members.Except(votes);
            if (system.IsPhase1(votes) && system.IsPhase2(rest))
            {
                return (votes, rest);
            }
        }

        return null;
    }
}
