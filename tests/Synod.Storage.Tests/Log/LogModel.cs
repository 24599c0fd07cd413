using Synod.Simulation.Disks;
using Xunit;
using static Synod.Storage.Tests.LogScript;

namespace Synod.Storage.Tests;

/// <summary>Runs random programs on a log until a random call fails, and knows what may be found afterwards.</summary>
internal sealed class LogModel(Random random)
{
    private readonly List<(long Segment, string Record)> _synced = [];
    private readonly List<(long Segment, string[] Records)> _pending = [];
    private long _dropping;
    private int _nextId;

    public void Live(SimulatedDisk disk)
    {
        var left = random.Next(60);
        disk.Inject = _ => left-- == 0 ? random.Next(3) == 0 ? DiskFault.Full : DiskFault.Error : null;
        try
        {
            using var log = Open(disk);
            CheckRecovered(log.Read(), "a life that went on");
            Rebase(log);
            while (left >= 0)
            {
                Step(log);
            }
        }
        catch (StorageFailure)
        {
            // The node stops; the caller crashes the disk.
        }
    }

    /// <summary>Everything synced, then whole batches of what was not, in order; without what a drop under way has dropped.</summary>
    public void CheckRecovered(List<string> found, string where)
    {
        var kept = _synced.Where(item => item.Segment >= _dropping).Select(item => item.Record).ToList();
        var expected = _synced.Select(item => item.Record).ToList();
        if (_dropping > 0 && (found.Count == 0 ? kept.Count == 0 : expected.Count == 0 || found[0] != expected[0]))
        {
            expected = kept;
            _synced.RemoveAll(item => item.Segment < _dropping);
        }

        Assert.True(found.Count >= expected.Count, $"{where}: {expected.Count - found.Count} synced records are lost");
        Assert.Equal(expected, found[..expected.Count]);
        var at = expected.Count;
        foreach (var (segment, records) in _pending)
        {
            if (at == found.Count)
            {
                break;
            }

            Assert.Equal(records, found[at..Math.Min(found.Count, at + records.Length)]);
            _synced.AddRange(records.Select(record => (segment, record)));
            at += records.Length;
        }

        Assert.True(at == found.Count, $"{where}: records were invented");
        _pending.Clear();
        _dropping = 0;
    }

    private void Step(DurableLog log)
    {
        switch (random.Next(12))
        {
            case < 6:
                var records = Enumerable.Range(0, random.Next(1, 4)).Select(_ => Record(_nextId++, random.Next(8, 2500))).ToArray();
                _pending.Add((log.Segment, records));
                log.Append(records);
                _pending[^1] = (log.Segment, records);
                break;
            case < 9:
                log.Sync();
                Settle();
                break;
            case 9:
                log.Seal();
                break;
            case 10 when random.Next(2) == 0:
                log.PrepareSpare();
                break;
            case 10:
                log.DraftSpare();
                log.AdoptSpare();
                break;
            default:
                var segment = log.StartSegment();
                Settle();
                string[] checkpoint = [Record(_nextId++, random.Next(8, 6000))];
                _pending.Add((segment, checkpoint));
                log.Append(checkpoint);
                log.Sync();
                _pending[^1] = (log.Segment, checkpoint);
                Settle();
                _dropping = segment;
                log.DropBefore(segment);
                _synced.RemoveAll(item => item.Segment < segment);
                _dropping = 0;
                break;
        }
    }

    private void Settle()
    {
        _synced.AddRange(_pending.SelectMany(batch => batch.Records, (batch, record) => (batch.Segment, record)));
        _pending.Clear();
    }

    /// <summary>What was found lies in older segments, whichever they are.</summary>
    private void Rebase(DurableLog log)
    {
        for (var i = 0; i < _synced.Count; i++)
        {
            _synced[i] = (log.Segment - 1, _synced[i].Record);
        }
    }
}
