using System.Globalization;
using System.Text;
using Synod.Core;
using Xunit;

namespace Synod.Storage.Tests;

/// <summary>Short words for writing logs in tests.</summary>
internal static class LogScript
{
    public static readonly LogIdentity Identity = new("test", new NodeId(1), 7);

    public static readonly LogOptions Small = new(SegmentBytes: 16 << 10);

    public static DurableLog Open(IDisk disk) => DurableLog.Open(disk, Identity, Small);

    public static LogBatch Batch(params IEnumerable<string> records)
    {
        var batch = new LogBatch();
        foreach (var record in records)
        {
            batch.Add(Encoding.UTF8.GetBytes(record));
        }

        return batch;
    }

    public static void Append(this DurableLog log, params IEnumerable<string> records) => log.Append(Batch(records));

    public static void AppendSynced(this DurableLog log, params IEnumerable<string> records)
    {
        log.Append(records);
        log.Sync();
    }

    public static List<string> Read(this DurableLog log) => [.. log.Records().Select(record => Encoding.UTF8.GetString(record.Span))];

    /// <summary>Opens the log, reads it and closes it again.</summary>
    public static List<string> Recover(IDisk disk)
    {
        using var log = Open(disk);
        return log.Read();
    }

    /// <summary>A record of about that many bytes that no other is equal to.</summary>
    public static string Record(int id, int bytes) =>
        id.ToString("d8", CultureInfo.InvariantCulture).PadRight(bytes, (char)('a' + id % 26));

    public static void Overwrite(IDisk disk, string name, long offset, ReadOnlySpan<byte> data)
    {
        using var file = disk.Open(name);
        file.Write(offset, data);
        file.Sync();
    }

    public static byte[] Content(IDisk disk, string name)
    {
        using var file = disk.Open(name);
        var content = new byte[file.Length];
        Assert.Equal(content.Length, file.Read(0, content));
        return content;
    }

    /// <summary>The file that appends go to.</summary>
    public static string LastSegment(IDisk disk) => disk.List().Last(name => name.StartsWith("segment-", StringComparison.Ordinal));
}
