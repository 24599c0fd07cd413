using CsCheck;
using Synod.Core;
using Synod.Protocols.Gossip;
using Xunit;
using static Synod.Protocols.Tests.Membership.Lone;

namespace Synod.Protocols.Tests.Membership;

using Command = Synod.Protocols.Gossip.Membership.Command;
using Message = Synod.Protocols.Gossip.Membership.Message;
using Timer = Synod.Protocols.Gossip.Membership.Timer;

/// <summary>Which news overrides which (gossip.md §2.3).</summary>
public sealed class PrecedenceTests
{
    [Theory]
    [InlineData("Suspect 2", "Alive 2", false)]
    [InlineData("Suspect 2", "Alive 3", true)]
    [InlineData("Alive 2", "Alive 1", false)]
    [InlineData("Alive 2", "Alive 3", true)]
    [InlineData("Alive 2", "Suspect 1", false)]
    [InlineData("Alive 2", "Suspect 2", true)]
    [InlineData("Alive 2", "Suspect 3", true)]
    [InlineData("Suspect 2", "Suspect 2", false)]
    [InlineData("Suspect 2", "Suspect 3", true)]
    [InlineData("Alive 2", "Dead 1", false)]
    [InlineData("Alive 2", "Dead 2", true)]
    [InlineData("Suspect 2", "Dead 1", false)]
    [InlineData("Suspect 2", "Dead 2", true)]
    [InlineData("Suspect 2", "Dead 3", true)]
    [InlineData("Dead 2", "Alive 2", false)]
    [InlineData("Dead 2", "Suspect 2", false)]
    [InlineData("Dead 2", "Dead 2", false)]
    [InlineData("Dead 2", "Alive 3", true)]
    [InlineData("Left 2", "Alive 2", false)]
    [InlineData("Left 2", "Dead 2", false)]
    [InlineData("Dead 2", "Left 2", true)]
    [InlineData("Left 2", "Alive 3", true)]
    public void News_overrides_by_incarnation_and_then_by_rank(string held, string offered, bool overrides)
    {
        var lone = new Lone();
        lone.Tell(C, Parse("Alive 2"));
        lone.Tell(C, Parse(held));
        var before = lone.Node.Find(B)!.Value;
        lone.Tell(D, Parse(offered));
        var after = lone.Node.Find(B)!.Value;
        Assert.Equal(overrides ? offered : held, $"{after.Status} {after.Incarnation}");
        Assert.Equal(overrides, lone.Events.Count > 0);
        Assert.Equal(overrides, before != after);
    }

    /// <summary>A join-semilattice: whatever arrives in whatever order, and however often, the table is the same.</summary>
    [Fact]
    public void Merging_in_any_order_gives_the_same_table()
    {
        var update = Gen.Select(Gen.Int[2, 4], Gen.Int[1, 4], Gen.Int[0, 3]).Select(item => (MemberStatus)item.Item3 switch
        {
            MemberStatus.Alive => Alive(new NodeId(item.Item1), item.Item2, $"at {item.Item2}"),
            MemberStatus.Suspect => Suspect(new NodeId(item.Item1), item.Item2, new NodeId(5)),
            MemberStatus.Dead => Dead(new NodeId(item.Item1), item.Item2),
            _ => Left(new NodeId(item.Item1), item.Item2),
        });
        Gen.Select(update.Array[0, 12], Gen.Int[0, int.MaxValue]).Sample((updates, seed) =>
        {
            var (there, back, shuffled) = (new Lone(), new Lone(), new Lone());
            there.Tell(D, updates);
            back.Tell(C, [.. updates.Reverse()]);
            var random = new Random(seed);
            foreach (var item in updates.Concat(updates).OrderBy(_ => random.Next()))
            {
                shuffled.Tell(new NodeId(5), item);
            }

            return Rows(there) == Rows(back) && Rows(there) == Rows(shuffled);
        });

        static string Rows(Lone lone) => string.Join("; ", lone.Node.Members.Select(member => $"{member} {member.Description}"));
    }

    [Fact]
    public void What_is_accepted_is_told_on_and_what_is_known_is_not()
    {
        var lone = new Lone();
        lone.Tell(C, Suspect(B, 1, C));
        Assert.Equal(1, lone.Node.NewsCount);
        lone.Fire(Timer.Gossip);
        var gossip = Assert.IsType<Message.Gossip>(lone.Sent[0].Message);
        Assert.Equal(3, lone.Sent.Count);
        Assert.Equal("Suspect n2@1 by n3", gossip.Updates.Single(item => item.Member == B).ToString());
        while (lone.Node.NewsCount > 0)
        {
            lone.Fire(Timer.Gossip);
        }

        lone.Tell(C, Suspect(B, 1, C), Alive(D, 1));
        Assert.Equal(0, lone.Node.NewsCount);
        lone.Fire(Timer.Gossip);
        Assert.Empty(lone.Sent);
        Assert.Null(lone.Due(Timer.Gossip));
    }

    /// <summary>Not after an interval, which at each hop would add up; and what comes while it is telling waits for its turn.</summary>
    [Fact]
    public void First_news_is_told_at_once_and_later_news_an_interval_apart()
    {
        var lone = new Lone();
        lone.Tell(C, Suspect(B, 1, C));
        Assert.Equal(Duration.Zero, lone.Due(Timer.Gossip));
        lone.Choices.Enqueue(0);
        lone.Fire(Timer.Gossip);
        var interval = lone.Due(Timer.Gossip)!.Value;
        Assert.True(interval >= lone.Options.GossipInterval / 2 && interval <= lone.Options.GossipInterval * 3 / 2, $"{interval}");
        lone.Tell(C, Suspect(D, 1, C));
        Assert.Equal(interval, lone.Due(Timer.Gossip));
        while (lone.Due(Timer.Gossip) is not null)
        {
            lone.Fire(Timer.Gossip);
        }

        lone.Tell(C, Dead(B, 1));
        Assert.Equal(Duration.Zero, lone.Due(Timer.Gossip));
    }

    /// <summary>lambda times the digits of N+1: with five members, four times.</summary>
    [Fact]
    public void News_is_sent_lambda_log_n_times()
    {
        var lone = new Lone();
        lone.Tell(C, Suspect(B, 1, C));
        var sent = 0;
        while (lone.Node.NewsCount > 0)
        {
            lone.Fire(Timer.Gossip);
            sent += lone.Sent.Count(item => item.Message.Updates.Any(update => update.Member == B));
        }

        Assert.Equal(4, sent);
        Assert.Equal(8, TransmissionsAmong(20));

        static int TransmissionsAmong(int members)
        {
            var lone = new Lone(members: members);
            lone.Tell(C, Suspect(B, 1, C));
            var sent = 0;
            while (lone.Node.NewsCount > 0)
            {
                lone.Fire(Timer.Gossip);
                sent += lone.Sent.Count;
            }

            return sent;
        }
    }

    [Fact]
    public void Newer_news_about_a_member_takes_the_place_of_older_and_is_told_first()
    {
        var lone = new Lone(members: 20);
        lone.Tell(C, Suspect(B, 1, C));
        lone.Fire(Timer.Gossip);
        lone.Tell(D, Suspect(C, 1, D), Alive(B, 2));
        Assert.Equal(2, lone.Node.NewsCount);
        lone.Fire(Timer.Gossip);
        Assert.Equal(["Alive n2@2", "Suspect n3@1 by n4"], lone.Sent[0].Message.Updates.Select(update => update.ToString()).Order());
    }

    [Fact]
    public void A_packet_takes_what_fits_and_what_was_told_least_comes_first()
    {
        var lone = new Lone(new MembershipOptions { DatagramBytes = 60 }, members: 40);
        lone.Tell(C, [.. Enumerable.Range(5, 20).Select(number => Suspect(new NodeId(number), 1, C))]);
        var told = new List<NodeId>();
        var wire = new Synod.Protocols.Gossip.Membership.MessageWire();
        while (told.Distinct().Count() < 20)
        {
            lone.Fire(Timer.Gossip);
            foreach (var (_, message) in lone.Sent)
            {
                var writer = new CodecWriter();
                wire.Write(writer, message);
                Assert.InRange(writer.Length, 1, 60);
                Assert.NotEmpty(message.Updates);
                Assert.True(told.Count >= 20 || !message.Updates.Any(update => told.Contains(update.Member)), "one is told again before all were told");
                told.AddRange(message.Updates.Select(update => update.Member));
            }
        }
    }

    [Fact]
    public void The_description_of_the_larger_incarnation_stands_even_if_it_comes_late()
    {
        var lone = new Lone();
        lone.Tell(C, Suspect(B, 4, C));
        Assert.Equal("2", lone.Node.Find(B)!.Value.Description.ToString());
        lone.Tell(C, Alive(B, 4, "elsewhere"));
        Assert.Equal("elsewhere", lone.Node.Find(B)!.Value.Description.ToString());
        Assert.Equal(MemberStatus.Suspect, lone.StatusOf(B));
        Assert.IsType<Command.Changed>(lone.Events.Single());
        lone.Tell(C, Alive(B, 3, "past"));
        Assert.Equal("elsewhere", lone.Node.Find(B)!.Value.Description.ToString());
    }

    private static Update Parse(string text)
    {
        var words = text.Split(' ');
        var incarnation = long.Parse(words[1], System.Globalization.CultureInfo.InvariantCulture);
        return words[0] switch
        {
            "Alive" => Alive(B, incarnation),
            "Suspect" => Suspect(B, incarnation, C),
            "Dead" => Dead(B, incarnation),
            _ => Left(B, incarnation),
        };
    }
}
