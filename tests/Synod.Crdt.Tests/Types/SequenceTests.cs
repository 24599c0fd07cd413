using System.Text;

namespace Synod.Crdt.Tests.Types;

using static Replicas;

/// <summary>Notes §4.6 and §9: texts that many edit at once.</summary>
public sealed class SequenceTests
{
    private static Sequence<Rune> Text(string text = "")
    {
        var sequence = new Sequence<Rune>(Wires.Rune);
        sequence.Insert(A, 0, text);
        return sequence;
    }

    [Fact]
    public void Runs_that_are_typed_at_the_same_place_do_not_mix()
    {
        var (a, b) = (Text("[]"), Text("[]"));
        var (forward, backward) = (a.Copy(), b.Copy());
        for (var at = 0; at < 5; at++)
        {
            a.Insert(A, 1 + at, "hello"[at].ToString());
            b.Insert(B, 1 + at, "WORLD"[at].ToString());
            forward.Insert(A, 1, "olleh"[at].ToString());
            backward.Insert(B, 1, "DLROW"[at].ToString());
        }

        Assert.Contains($"{a.Joined(b)}", (string[])["[helloWORLD]", "[WORLDhello]"]);
        Assert.Equal($"{a.Joined(b)}", $"{b.Joined(a)}");
        Assert.Contains($"{forward.Joined(backward)}", (string[])["[helloWORLD]", "[WORLDhello]"]);
        AssertEqual(forward.Joined(backward), backward.Joined(forward));
    }

    [Fact]
    public void Three_inserts_at_one_place_come_out_the_same_in_every_order()
    {
        var start = Text("ab");
        var deltas = new[] { A, B, C }.Select(me => start.Copy().Insert(me, 1, $"{me.Node.Value}")).ToArray();
        var orders = new[] { (0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0) };
        var texts = orders.Select(order => $"{start.Joined(deltas[order.Item1]).Joined(deltas[order.Item2]).Joined(deltas[order.Item3])}");
        Assert.Equal(5, Assert.Single(texts.Distinct()).Length);
    }

    [Fact]
    public void What_stands_beside_a_deleted_element_keeps_its_place()
    {
        var (a, b) = (Text("abc"), Text("abc"));
        a.Delete(A, 1);
        b.Insert(B, 2, "X");
        Assert.Equal("aXc", $"{a.Joined(b)}");
        AssertEqual(a.Joined(b), b.Joined(a));
    }

    [Fact]
    public void An_element_waits_for_the_one_it_stands_beside()
    {
        var a = Text();
        var first = a.Insert(A, 0, "a");
        var second = a.Insert(A, 1, "b");
        var third = a.Insert(A, 1, "c");
        var b = Text();
        b.Join(second);
        b.Join(third);
        Assert.Equal((0, 2), (b.Count, b.Waiting));
        b.Join(first);
        Assert.Equal(0, b.Waiting);
        Assert.Equal("acb", $"{b}");
        AssertEqual(a, b);
    }

    [Fact]
    public void A_deletion_may_come_before_what_it_deletes()
    {
        var a = Text();
        var inserted = a.Insert(A, 0, "ab");
        var deleted = a.Delete(A, 0);
        var b = Text().Joined(deleted).Joined(inserted);
        Assert.Equal("b", $"{b}");
        AssertEqual(a, b);
    }

    [Fact]
    public void Two_deletions_of_one_element_are_one()
    {
        var (a, b) = (Text("abc"), Text("abc"));
        a.Delete(A, 1);
        b.Delete(B, 1);
        Assert.Equal("ac", $"{a.Joined(b)}");
        AssertEqual(a.Joined(b), b.Joined(a));
    }

    [Fact]
    public void Deletions_are_written_in_runs_of_a_few()
    {
        var text = Text(new string('x', 100));
        var deletions = text.Delete(A, 10, 50);
        AssertEqual(deletions, Sent(deletions));
        AssertEqual(text, Sent(text));
        Assert.InRange(StateCodec.Encode(deletions).Length, 1, 80);
    }

    [Fact]
    public void Names_of_elements_stay()
    {
        var text = Text("hello");
        var name = text.IdAt(4);
        text.Insert(B, 0, ">> ");
        Assert.Equal(7, text.IndexOf(name));
        Assert.Equal('o', text[7].Value);
        text.Delete(B, 7);
        Assert.Equal(7, text.IndexOf(name));
        Assert.Null(text.IndexOf(new Dot(C, 1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => text.Insert(A, 8, "x"));
        Assert.Throws<ArgumentOutOfRangeException>(() => text.Delete(A, 6, 2));
    }

    /// <summary>Against a list of characters: what one replica does is what an editor does.</summary>
    [Fact]
    public void One_replica_is_a_plain_list()
    {
        var (text, list) = (Text(), new List<char>());
        var random = new Random(11);
        for (var step = 0; step < 3_000; step++)
        {
            if (list.Count > 0 && random.Next(5) < 2)
            {
                var (at, count) = (random.Next(list.Count), 1);
                text.Delete(step % 2 == 0 ? A : B, at, count);
                list.RemoveRange(at, count);
            }
            else
            {
                var (at, what) = (random.Next(list.Count + 1), new string((char)('a' + step % 26), 1 + random.Next(3)));
                text.Insert(step % 3 == 0 ? A : C, at, what);
                list.InsertRange(at, what);
            }
        }

        Assert.Equal(string.Concat(list), $"{text}");
        AssertEqual(text, Sent(text));
        Assert.Equal($"{text}", $"{Sent(text)}");
        Assert.Equal(list[17], (char)text[17].Value);
    }

    [Fact]
    public void Replicas_that_edit_at_random_agree_and_neighbours_stay_in_order()
    {
        var random = new Random(5);
        var states = new[] { Text("start"), Text("start"), Text("start") };
        ReplicaId[] names = [A, B with { Incarnation = 77 }, C];
        for (var step = 0; step < 2_000; step++)
        {
            var who = random.Next(3);
            var state = states[who];
            switch (random.Next(4))
            {
                case 0 when state.Count > 0:
                    state.Delete(names[who], random.Next(state.Count));
                    break;
                case 1:
                    state.Join(states[random.Next(3)]);
                    break;
                default:
                    var at = random.Next(state.Count + 1);
                    var (left, right) = (at > 0 ? state.IdAt(at - 1) : default(Dot?), at < state.Count ? state.IdAt(at) : default(Dot?));
                    state.Insert(names[who], at, "x");
                    var here = state.IndexOf(state.IdAt(at))!.Value;
                    Assert.True(left is null || state.IndexOf(left.Value) < here);
                    Assert.True(right is null || state.IndexOf(right.Value) > here);
                    break;
            }
        }

        var all = states[0].Joined(states[1]).Joined(states[2]);
        var other = states[2].Joined(states[0]).Joined(states[1]);
        Assert.Equal($"{all}", $"{other}");
        AssertEqual(all, other);
        Assert.Equal($"{all}", $"{Sent(all)}");
        Assert.Equal(0, all.Waiting);
    }

    [Fact]
    public void A_long_text_is_written_in_runs_and_edited_by_looking_at_little_of_it()
    {
        const int Length = 200_000;
        var text = Text(string.Concat(Enumerable.Repeat("lorem ipsum ", Length / 12 + 1))[..Length]);
        Assert.InRange(StateCodec.Encode(text).Length, Length, 2 * Length + 100);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var number = 0; number < 1_000; number++)
        {
            text.Insert(B, Length / 2 + number, "x");
        }

        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 1_000, 1, 10_000);
        Assert.Equal(Length + 1_000, text.Count);
        Assert.InRange(StateCodec.Encode(text.Insert(B, 77, "x")).Length, 1, 60);
    }
}
