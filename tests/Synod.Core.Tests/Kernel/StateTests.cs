using CsCheck;
using Xunit;

namespace Synod.Core.Tests.Kernel;

public sealed class StateTests
{
    [Fact]
    public void A_state_that_was_written_is_read_back_the_same() => States.Sample(state =>
    {
        var bytes = Write(state);
        var copy = new Sample();
        var reader = new StateReader(bytes);
        copy.State(reader);
        reader.Complete();
        Assert.Equal(bytes, Write(copy));
        Assert.Equal(Print(state), Print(copy));
    });

    [Fact]
    public void A_map_is_written_in_the_order_of_its_keys_whatever_order_it_keeps()
    {
        var forward = new Sample();
        var backward = new Sample();
        for (var id = 1; id <= 50; id++)
        {
            forward.Votes[new NodeId(id)] = id;
            backward.Votes[new NodeId(51 - id)] = 51 - id;
        }

        Assert.Equal(Write(forward), Write(backward));
        Assert.Equal(Print(forward), Print(backward));
    }

    [Fact]
    public void A_renaming_orders_maps_by_the_new_names()
    {
        static NodeId Swap(NodeId node) => new(node.Value == 1 ? 2 : node.Value == 2 ? 1 : node.Value);
        var one = new Sample { Leader = new NodeId(1) };
        one.Votes[new NodeId(1)] = 10;
        one.Votes[new NodeId(2)] = 20;
        var two = new Sample { Leader = new NodeId(2) };
        two.Votes[new NodeId(1)] = 20;
        two.Votes[new NodeId(2)] = 10;
        Assert.Equal(Write(two), Write(one, Swap));
    }

    [Fact]
    public void Bytes_of_another_state_break_the_round_trip()
    {
        var reader = new StateReader(new byte[] { 1, 2, 3 });
        Assert.ThrowsAny<Exception>(() =>
        {
            new Sample().State(reader);
            reader.Complete();
        });
    }

    [Fact]
    public void A_state_is_printed_in_one_line()
    {
        var state = new Sample { Leader = new NodeId(2), Ready = true, Seen = NodeSet.Of(new NodeId(1)), Ballot = new Ballot(3, new NodeId(2)) };
        state.Votes[new NodeId(1)] = 4;
        state.Slots.Add(new Slot(9));
        Assert.Equal(
            "leader=n2 ready=yes term=0 count=0 name= seen={n1} blob= ballot=3 n2 at=0 time=0 due=0 status=0 votes={n1 4} slots=[9]",
            Print(state));
    }

    private static Gen<Sample> States { get; } = Gen.Select(
        Gen.Int[0, 127], Gen.Bool, Gen.Long, Gen.Int, Gen.String, Gen.Byte.Array[0, 40], Gen.Int[1, 127].Array[0, 9], (node, ready, term, count, name, blob, ids) =>
        {
            var state = new Sample
            {
                Leader = new NodeId(node), Ready = ready, Term = term, Count = count, Name = name, Blob = blob,
                Ballot = new Ballot(term, new NodeId(node)), At = new Slot(term), Time = new Timestamp(term), Due = new Instant(term),
                Status = (ClockStatus)(count & 1),
            };
            foreach (var id in ids)
            {
                state.Seen = state.Seen.With(new NodeId(id));
                state.Votes[new NodeId(id)] = id;
                state.Slots.Add(new Slot(id));
            }

            return state;
        });

    private static byte[] Write(Sample state, Func<NodeId, NodeId>? renaming = null)
    {
        var writer = new CodecWriter { Renaming = renaming };
        state.State(new StateWriter(writer));
        return writer.ToArray();
    }

    private static string Print(Sample state)
    {
        var printer = new StatePrinter();
        state.State(printer);
        return printer.ToString();
    }

    /// <summary>One field of each kind.</summary>
    private sealed class Sample
    {
        public NodeId Leader;
        public bool Ready;
        public long Term;
        public int Count;
        public string Name = "";
        public NodeSet Seen;
        public ReadOnlyMemory<byte> Blob;
        public Ballot Ballot;
        public Slot At;
        public Timestamp Time;
        public Instant Due;
        public ClockStatus Status;
        public readonly Dictionary<NodeId, int> Votes = [];
        public readonly List<Slot> Slots = [];

        public void State(StateVisitor visitor)
        {
            visitor.Visit("leader", ref Leader);
            visitor.Visit("ready", ref Ready);
            visitor.Visit("term", ref Term);
            visitor.Visit("count", ref Count);
            visitor.Visit("name", ref Name);
            visitor.Visit("seen", ref Seen);
            visitor.Visit("blob", ref Blob);
            visitor.Visit("ballot", ref Ballot);
            visitor.Visit("at", ref At);
            visitor.Visit("time", ref Time);
            visitor.Visit("due", ref Due);
            visitor.VisitEnum("status", ref Status);
            visitor.Visit(
                "votes", Votes, static (v, ref key) => v.Visit("", ref key), static (v, ref value) => v.Visit("", ref value));
            visitor.Visit("slots", Slots, static (v, ref slot) => v.Visit("", ref slot));
        }
    }
}
