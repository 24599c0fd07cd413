using Synod.Protocols.Consensus;
using Xunit;
using static Synod.Protocols.Tests.EPaxosRoom.Sites;

namespace Synod.Protocols.Tests.EPaxosRoom;

using Room = Synod.Protocols.Consensus.EPaxos;

/// <summary>Two of the published faults, each by its shortest schedule; without the fault the same schedule agrees (epaxos.md §9).</summary>
public sealed class MutantScheduleTests
{
    /// <summary>
    /// §2: of seven replicas four agree unchanged, and three of them are gone. A quorum of those that are left has one that agreed, which is
    /// too few to tell a decision by: two would be left of a fast quorum of five.
    /// </summary>
    [Theory]
    [InlineData((int)EPaxosMutation.None, true)]
    [InlineData((int)EPaxosMutation.MajorityFastQuorum, false)]
    public void A_majority_is_no_fast_quorum_of_seven(int mutation, bool agrees)
    {
        var sites = new Sites(7, new EPaxosOptions { Mutation = (EPaxosMutation)mutation });
        sites.Put(1, "x", "1");
        sites.Deliver((1, 2), (2, 1), (1, 3), (3, 1), (1, 4), (4, 1));
        sites.Lose();
        sites.Suspect(5, Id(1));
        for (var phase = 0; phase < 2; phase++)
        {
            sites.Deliver((5, 4), (4, 5), (5, 6), (6, 5), (5, 7), (7, 5));
        }

        sites.AssertDecided(5, Id(1), nop: true, new long[7]);
        Assert.Equal(agrees, sites.Look(1, Id(1)).Phase != Room.Phase.Committed);
    }

    /// <summary>§9.3: replica 2 accepts, says so, and forgets it. Only replica 1 knows then what was decided.</summary>
    [Theory]
    [InlineData((int)EPaxosMutation.None, true)]
    [InlineData((int)EPaxosMutation.VolatileAccept, false)]
    public void An_acceptance_is_durable_before_it_is_told(int mutation, bool agrees)
    {
        var sites = new Sites(3, new EPaxosOptions { Mutation = (EPaxosMutation)mutation });
        sites.Put(2, "x", "2");
        sites.Sync();
        sites.Lose();
        sites.Put(1, "x", "1");
        sites.Deliver((1, 2), (2, 1));
        sites.Lose(3);
        sites.Stage.Deliver(Node(1), Node(2));
        if (sites.Under<Room.Message.AcceptOk>(2, 1).Any())
        {
            sites.Stage.Deliver(Node(2), Node(1));
        }

        sites.Stage.Crash(Node(2));
        sites.Sync();
        sites.Lose();
        sites.Suspect(3, Id(1));
        sites.RunWithout(1);
        sites.AssertDecided(3, Id(1), nop: true, 0, 0, 0);
        Assert.Equal(agrees, sites.Look(1, Id(1)).Phase != Room.Phase.Committed);
    }
}
