using Synod.Core;
using Synod.Protocols.Gossip.AntiEntropy;
using Xunit;
using static Synod.Protocols.Tests.Gossip.AntiEntropy.Notes;

namespace Synod.Protocols.Tests.Gossip.AntiEntropy;

/// <summary>The binary forms of the room's three protocols: whatever arrives is read or refused, never thrown.</summary>
public sealed class WireTests
{
    private static readonly Digest s_digest = new(Origin.Least, Origin.Most, [new(First(A), 0, 4), new(new Origin(B, 77), 2, 3)]);

    private static readonly Scuttlebutt.Message[] s_notes =
    [
        new Scuttlebutt.Message.Ask(1, s_digest),
        new Scuttlebutt.Message.Exchange(1, [Delta(First(B), 5, 0, 5, Entry(4, "x", "1"), Gone(5, "y"))], s_digest),
        Tell(Delta(First(B), 5, 0, 5, Entry(4, "x", "1"), Gone(5, "y")), new OriginDelta(new(First(C), 3, 9), 0, 9, [])),
    ];

    private static readonly Scuttlebutt.Record[] s_noteRecords =
    [
        new Scuttlebutt.Record.Created(new Origin(A, long.MaxValue)),
        new Scuttlebutt.Record.Wrote(Gone(4, "x")),
        new Scuttlebutt.Record.Learned(Delta(First(B), 5, 0, 5, Entry(4, "x", "1"))),
        new Scuttlebutt.Record.Forgot(3),
        new Scuttlebutt.Record.Adopted(Trio.Fence(First(A))),
        new Scuttlebutt.Record.Image("state"u8.ToArray()),
    ];

    private static readonly Piece[] s_pieces =
    [
        new Piece.Hashed(new(Key.Empty, Name("b")), new(12)),
        new Piece.Listed(new(Name("b"), Name("d")), [new(Name("b"), new(1)), new(Name("c"), new(UInt128.MaxValue))]),
        new Piece.Listed(new(Name("f"), Key.Empty), []),
    ];

    private static readonly RangeReconciliation.Message[] s_ranges =
    [
        new RangeReconciliation.Message.Request(3, 1, [.. s_pieces], [new(Name("x"), Name("1").Memory)], [Name("y"), Name("z")]),
        new RangeReconciliation.Message.Reply(0, 1, 1, [s_pieces[0]], 0, [new(Name("x"), Name("1").Memory)]),
    ];

    private static readonly RangeReconciliation.Record[] s_rangeRecords =
    [
        new RangeReconciliation.Record.Stored(Name("x"), Name("1").Memory),
        new RangeReconciliation.Record.Image([new(Name("x"), Name("1").Memory), new(Name("y"), default)]),
    ];

    private static readonly DeltaSync.Message[] s_deltas =
    [
        new DeltaSync.Message.Interval(First(B), First(A), 0, 2, "a1"u8.ToArray()),
        new DeltaSync.Message.Full(First(B), 3, "state"u8.ToArray()),
        new DeltaSync.Message.Ack(First(B), First(A), 1),
        new DeltaSync.Message.Inquire(First(B)),
        new DeltaSync.Message.Have(First(B), "digest"u8.ToArray()),
        new DeltaSync.Message.Missing(First(B), First(A), 4, "rest"u8.ToArray()),
        new DeltaSync.Message.Seen(First(B), 1, "digest"u8.ToArray()),
        new DeltaSync.Message.Part(First(B), First(A), 4, new(UInt128.MaxValue), 9, 4, "part"u8.ToArray()),
        new DeltaSync.Message.Want(First(B), new(12), 8),
    ];

    private static readonly DeltaSync.Record[] s_deltaRecords =
    [
        new DeltaSync.Record.Created(First(B), Anew: true),
        new DeltaSync.Record.Changed("a1"u8.ToArray()),
        new DeltaSync.Record.Adopted(Trio),
        new DeltaSync.Record.Image(First(B), Trio, 4, "state"u8.ToArray()),
    ];

    [Fact]
    public void Every_case_survives_its_binary_form_and_no_part_of_it_is_taken_for_the_whole()
    {
        Fields.RoundTrip(new Scuttlebutt.MessageWire(), s_notes);
        Fields.RoundTrip(new Scuttlebutt.RecordWire(), s_noteRecords);
        Fields.RoundTrip(new RangeReconciliation.MessageWire(), s_ranges);
        Fields.RoundTrip(new RangeReconciliation.RecordWire(), s_rangeRecords);
        Fields.RoundTrip(new DeltaSync.MessageWire(), s_deltas);
        Fields.RoundTrip(new DeltaSync.RecordWire(), s_deltaRecords);
    }

    [Fact]
    public void Whatever_is_sent_to_a_node_with_notes_is_taken_or_refused() =>
        Fields.Attack(new Scuttlebutt.MessageWire(), new Scuttlebutt.RecordWire(), s_notes, message =>
        {
            var play = Stage(null, null, A, B, C);
            play.Put(A, "x", "1");
            play.Receive(B, A, message);
            play.Receive(new NodeId(9), A, message);
            play.Fire(A, Round);
            play.Receive(B, A, message);
            play.Receive(B, A, message);
            play.Sync(A);
            play.Crash(A);
        });

    [Fact]
    public void Whatever_is_sent_to_a_node_with_a_store_is_taken_or_refused() =>
        Fields.Attack(new RangeReconciliation.MessageWire(), new RangeReconciliation.RecordWire(), s_ranges, message =>
        {
            var play = Stores.Stage(Stores.Small);
            play.Put(A, "b", 1);
            play.Receive(B, A, message);
            play.Receive(new NodeId(9), A, message);
            play.Submit(A, new RangeReconciliation.Command.Reconcile(B));
            play.Receive(B, A, message);
            play.Receive(B, A, message);
            play.Sync(A);
            play.Crash(A);
        });

    [Fact]
    public void Whatever_is_sent_to_a_replica_is_taken_or_refused() =>
        Fields.Attack(new DeltaSync.MessageWire(), new DeltaSync.RecordWire(), s_deltas, message =>
        {
            var play = Letters.Stage();
            play.Add(A, 'a');
            play.Receive(B, A, message);
            play.Receive(new NodeId(9), A, message);
            play.Fire(A, Letters.Sync);
            play.Receive(B, A, message);
            play.Receive(B, A, message);
            play.Sync(A);
            play.Crash(A);
        });
}
