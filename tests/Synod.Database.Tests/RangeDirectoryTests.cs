using Synod.Core;
using Synod.Database.Directory;

namespace Synod.Database.Tests;

/// <summary>What a node makes of what it hears of the ranges, in whatever order.</summary>
public sealed class RangeDirectoryTests
{
    private static readonly NodeId Node = new(1);

    /// <summary>All who saw it retire may have lost their disks, and somebody comes back who remembers it alive.</summary>
    [Fact]
    public void A_range_has_ended_when_later_ones_serve_all_of_its_keys_whatever_is_heard_first()
    {
        var (old, left, right) = (Range(1, "", "", 2), Range(2, "", "m", 3), Range(3, "m", "", 5));
        foreach (var order in new[] { new[] { old, left, right }, [right, left, old], [left, old, right] })
        {
            var directory = new RangeDirectory();
            Assert.All(order, range => Assert.True(directory.Merge(range)));
            Assert.Equal([2UL, 3UL], Serving(directory));
            Assert.Equal([2UL, 3UL], directory.HeirsOf(directory.Find(1)!)!.Select(range => range.Group));
            Assert.Equal(2UL, directory.SpeakerOf(1));
        }
    }

    [Fact]
    public void A_range_goes_on_while_later_ones_serve_but_a_part_of_its_keys_or_are_none()
    {
        var directory = new RangeDirectory();
        directory.Merge(Range(1, "a", "z", 4));
        directory.Merge(Range(2, "a", "m", 5));
        directory.Merge(Range(3, "m", "z", 4));
        directory.Merge(Range(4, "n", "", 6));
        directory.Merge(Range(5, "m", "z", 7) with { IsRetired = true });
        Assert.Equal([1UL, 2UL, 3UL, 4UL], Serving(directory));
    }

    /// <summary>An ancestor of which this node has not heard that it was cut does not speak for what was cut off.</summary>
    [Fact]
    public void Whoever_speaks_for_a_retired_group_came_after_it()
    {
        var directory = new RangeDirectory();
        directory.Merge(Range(1, "", "", 1));
        directory.Merge(Range(2, "m", "", 3) with { IsRetired = true });
        Assert.Equal(2UL, directory.SpeakerOf(2));
        directory.Merge(Range(3, "m", "", 3));
        Assert.Equal(3UL, directory.SpeakerOf(2));
        directory.Merge(directory.Find(2)!.Tombstone);
        Assert.Equal(3UL, directory.SpeakerOf(2));
    }

    [Fact]
    public void Nobody_leads_a_group_that_is_gone()
    {
        var directory = new RangeDirectory();
        directory.Merge(Range(2, "m", "", 3) with { IsRetired = true });
        Assert.True(directory.Led(2, new NodeId(3), new Ballot(1, new NodeId(3))));
        directory.Merge(directory.Find(2)!.Tombstone);
        Assert.False(directory.Led(2, new NodeId(2), new Ballot(2, new NodeId(2))));
        Assert.Equal(Node, directory.LeaderOf(2));
    }

    private static IEnumerable<ulong> Serving(RangeDirectory directory) =>
        directory.Ranges.Where(range => !range.IsRetired).Select(range => range.Group);

    private static RangeDescriptor Range(ulong group, string start, string end, ulong version) =>
        new(group, new KeySpan(Key.Of(start), Key.Of(end)), version, NodeSet.Of(Node), Node);
}
