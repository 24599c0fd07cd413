using Synod.Core;
using Synod.Protocols.Gossip.AntiEntropy;
using Xunit;
using static Synod.Protocols.Tests.Gossip.AntiEntropy.Stores;

namespace Synod.Protocols.Tests.Gossip.AntiEntropy;

using Message = RangeReconciliation.Message;
using Outbox = Outbox<RangeReconciliation.Message, RangeReconciliation.Record, RangeReconciliation.Command, RangeReconciliation.Result>;

/// <summary>Rounds grow as the logarithm of the store, bytes as that times the differences (gossip.md §6), as counted.</summary>
public sealed class RangeScaleTests(ITestOutputHelper output)
{
    private readonly Outbox _outbox = new();
    private readonly RangeReconciliation.MessageWire _wire = new();

    /// <summary>
    /// Request and reply descend a level each: 100,000 items are 16 to the power of 4.15, and the last 16 are listed. A thousand
    /// differences fill more than one message in each round.
    /// </summary>
    [Theory]
    [InlineData(100, 1, 2)]
    [InlineData(1_000, 1, 2)]
    [InlineData(10_000, 1, 3)]
    [InlineData(100_000, 1, 3)]
    [InlineData(100_000, 10, 3)]
    [InlineData(100_000, 100, 4)]
    [InlineData(100_000, 1_000, 20)]
    public void Rounds_are_logarithmic_and_bytes_are_so_for_each_difference(int items, int differences, int rounds)
    {
        var (left, right) = Differing(items, differences);
        var (done, bytes, largest) = Reconcile(left, right);
        Assert.Equal(left.Items.Fingerprint(KeySpan.All), right.Items.Fingerprint(KeySpan.All));
        Assert.Equal(items, left.Items.Count);
        var levels = Math.Log(items, 16);
        var each = bytes / (differences * levels);
        output.WriteLine($"{items} items, {differences} differences: {done.Rounds} rounds, {bytes} bytes, {each:0} for each difference and level, largest {largest}");
        Assert.Equal(rounds, done.Rounds);

        // A level of one difference is 16 fingerprints with a bound of up to 7 bytes each; at the end 16 lists of up to 16 items.
        Assert.InRange(bytes, 100 * differences, 2_400 + (differences * levels * 16 * (Fingerprint.Size + 9)));
        Assert.InRange(largest, 0, new RangeOptions().MostMessageBytes);
    }

    [Fact]
    public void Equal_stores_are_found_equal_in_one_round()
    {
        var (left, right) = Differing(100_000, 0);
        var (done, bytes, _) = Reconcile(left, right);
        Assert.Equal((1, 0, 0), (done.Rounds, done.Sent, done.Received));
        Assert.InRange(bytes, 0, 500);
    }

    [Fact]
    public void An_empty_store_takes_everything_in_messages_of_bounded_size()
    {
        var options = new RangeOptions { MostKeyBytes = 16, MostValueBytes = 16, MostMessageBytes = 4 << 10 };
        var (left, right) = (Make(A, options), Make(B, options));
        for (var number = 0; number < 5_000; number++)
        {
            Put(right, number, 1);
        }

        var (done, bytes, largest) = Reconcile(left, right);
        Assert.Equal(right.Items.Fingerprint(KeySpan.All), left.Items.Fingerprint(KeySpan.All));
        output.WriteLine($"{done}, {bytes} bytes, largest {largest}");
        Assert.InRange(largest, 1_000, options.MostMessageBytes);
        Assert.Equal((0, 5_000), (done.Sent, done.Received));

        // The other way round: whoever has everything pushes it.
        var (empty, full) = (Make(B, options), left);
        (done, _, largest) = Reconcile(full, empty);
        Assert.Equal(full.Items.Fingerprint(KeySpan.All), empty.Items.Fingerprint(KeySpan.All));
        Assert.Equal((5_000, 0), (done.Sent, done.Received));
        Assert.InRange(largest, 1_000, options.MostMessageBytes);
    }

    private (RangeReconciliation Left, RangeReconciliation Right) Differing(int items, int differences)
    {
        var options = new RangeOptions();
        var (left, right) = (Make(A, options), Make(B, options));
        var each = differences == 0 ? int.MaxValue : items / differences;
        for (var number = 0; number < items; number++)
        {
            // A third of the differences is missing here, a third is missing there, a third has other contents.
            var kind = number % each == each / 2 ? number / each % 3 : -1;
            if (kind != 0)
            {
                Put(left, number, 1);
            }

            if (kind != 1)
            {
                Put(right, number, kind == 2 ? 2 : 1);
            }
        }

        return (left, right);
    }

    private void Put(RangeReconciliation store, int number, long value)
    {
        store.Submit(default, new RangeReconciliation.Command.Put(Key.Of(Name(number)), Number(value)), Calm.Context, _outbox);
        _outbox.Clear();
    }

    /// <summary>Messages go to and fro at once, and each is measured in its binary form.</summary>
    private (RangeReconciliation.Result.Reconciled Done, long Bytes, int Largest) Reconcile(RangeReconciliation left, RangeReconciliation right)
    {
        var (bytes, largest) = (0L, 0);
        var (here, there) = (A, B);
        left.Submit(default, new RangeReconciliation.Command.Reconcile(B), Calm.Context, _outbox);
        while (_outbox.Answers.Length == 0)
        {
            var message = Carry(_outbox.Messages[0].Message);
            _outbox.Clear();
            (here, there) = (there, here);
            (here == A ? left : right).Receive(there, message, Calm.Context, _outbox);
            Assert.Equal(0, _outbox.Refusals.Length);
        }

        var done = (RangeReconciliation.Result.Reconciled)_outbox.Answers[0].Result;
        _outbox.Clear();
        return (done, bytes, largest);

        Message Carry(Message message)
        {
            var frame = Fields.Bytes(_wire, message);
            (bytes, largest) = (bytes + frame.Length, Math.Max(largest, frame.Length));
            var reader = new CodecReader(frame);
            return _wire.Read(ref reader)!;
        }
    }
}
