using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Synod.Protocols.Tests.Commit;
using Xunit;
using static Synod.Lab.Worlds.HotStuffGroup;
using static Synod.Protocols.Tests.HotStuffRoom.Chains;

namespace Synod.Protocols.Tests.HotStuffRoom;

/// <summary>The binary forms: each case has one, and whatever arrives is read or refused, never thrown.</summary>
public sealed class WireTests
{
    private static readonly HotStuffGroup s_group = Group(new BasicRules());
    private static readonly TimeoutCertificate s_timeout = s_group.GiveUp(2, (N1, 1), (N2, 0), (N4, 1));
    private static readonly Certificates s_shown = new(s_group.Certificate(3), s_group.Certificate(2, VotePhase.Commit), s_timeout);
    private static readonly ChainCheckpoint s_checkpoint = new(2, 2, s_group.Block(2).Digest, new Slot(2), Digest.Of("state"u8));
    private static readonly StableCheckpoint s_stable = s_group.Prove(s_checkpoint, NodeSet.Of(N1, N2, N3));

    private static readonly HotStuff.Message[] s_messages =
    [
        new HotStuff.Message.Proposal(s_group.Block(3), s_group.Certificate(2, VotePhase.Commit), s_timeout),
        s_group.Vote(N2, s_group.Block(1), VotePhase.PreCommit),
        new HotStuff.Message.Certified(s_group.Certificate(1)),
        new HotStuff.Message.NewView(2, s_shown),
        s_group.Timeout(N1, 2, s_shown),
        new HotStuff.Message.Sync(s_shown),
        new HotStuff.Message.Fetch(s_group.Block(2).Digest, 1),
        new HotStuff.Message.Blocks([s_group.Block(2), s_group.Block(1)]),
        s_group.Checkpoint(N1, s_checkpoint),
        new HotStuff.Message.Stable(s_stable),
        new HotStuff.Message.FetchState(2, -1, 0),
        new HotStuff.Message.StatePart(2, 0, 3, Key.Of("page").Memory),
    ];

    [Fact]
    public void Every_message_and_record_is_read_as_it_was_written()
    {
        WireChecks.All(new HotStuff.MessageWire(), s_messages);
        WireChecks.All<HotStuff.Record>(
            new HotStuff.RecordWire(),
            new HotStuff.Record.Stored(s_group.Block(2)),
            new HotStuff.Record.Learned(s_group.Certificate(1, VotePhase.PreCommit)),
            new HotStuff.Record.Voted(VotePhase.Commit, 3, s_group.Block(3).Digest),
            new HotStuff.Record.TimedOut(4),
            new HotStuff.Record.Entered(s_timeout),
            new HotStuff.Record.Saved(s_checkpoint, Key.Of("state").Memory),
            new HotStuff.Record.Stable(s_stable),
            new HotStuff.Record.Based(s_stable, Key.Of("state").Memory),
            new HotStuff.Record.Stands(VotePhase.PreCommit, 5, 4, 3, s_shown, s_group.Certificate(2), s_group.Block(2).Digest));
    }

    /// <summary>With any one byte of it another one, in a new replica and in one that fetches a state.</summary>
    [Fact]
    public void Damaged_messages_are_refused_or_acted_on_never_thrown()
    {
        var refused = 0;
        foreach (var message in s_messages)
        {
            var writer = new CodecWriter();
            new HotStuff.MessageWire().Write(writer, message);
            for (var at = 0; at < writer.Length; at += 3)
            {
                var bytes = writer.ToArray();
                bytes[at] ^= (byte)(1 + at % 200);
                var reader = new CodecReader(bytes);
                if (new HotStuff.MessageWire().Read(ref reader) is { } damaged && reader.IsComplete)
                {
                    var play = s_group.Stage();
                    play.Receive(N1, N4, damaged);
                    s_group.Feed(play, N4, 9, 9);
                    play.Receive(N1, N4, new HotStuff.Message.Stable(s_stable));
                    play.Receive(N2, N4, damaged);
                    refused += play.Refusals(N4).Count;
                }
            }
        }

        Assert.True(refused > 200, $"{refused} were refused");
    }
}
