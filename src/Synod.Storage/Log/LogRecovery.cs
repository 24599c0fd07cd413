namespace Synod.Storage;

/// <summary>A segment whose batches from the first up to <paramref name="End"/> are known to be good.</summary>
/// <param name="FileBytes">The file's length, which may be more.</param>
internal readonly record struct LiveSegment(long Number, long FirstSequence, long End, long FileBytes)
{
    public long BatchBytes => End - LogSegment.HeaderBytes;
}

/// <summary>Finds out what the log on a disk holds, and changes nothing.</summary>
/// <param name="Live">Needed segments, oldest first.</param>
/// <param name="Dropped">Segments that a checkpoint made unnecessary and a crash kept.</param>
/// <param name="NextSequence">The number of the next batch.</param>
/// <param name="HasSpare">Whether there is a file to make the next segment of.</param>
internal sealed record LogRecovery(IReadOnlyList<LiveSegment> Live, IReadOnlyList<long> Dropped, long NextSequence, bool HasSpare)
{
    public static LogRecovery Run(IDisk disk, LogIdentity identity)
    {
        var names = disk.List();
        var numbers = names.Select(LogSegment.NumberOf).Where(number => number > 0).Order().ToArray();
        var hasSpare = names.Contains(LogSegment.SpareName, StringComparer.Ordinal);
        if (numbers.Length == 0)
        {
            return new LogRecovery([], [], 1, hasSpare);
        }

        // From the last backwards: each header says where the one before must end, and the newest batch which is the oldest needed.
        var live = new List<LiveSegment>();
        long? end = null;
        var oldest = long.MinValue;
        var nextSequence = 0L;
        var number = numbers[^1];
        do
        {
            if (Array.BinarySearch(numbers, number) < 0)
            {
                throw Missing(number);
            }

            var (header, segment, oldestNeeded, next) = Check(disk, identity, number, end);
            if (live.Count == 0)
            {
                oldest = oldestNeeded;
                nextSequence = next;
            }
            else if (live[^1].FirstSequence != next)
            {
                throw new LogDamaged(
                    LogSegment.NameOf(number), segment.End, $"The log segment '{LogSegment.NameOf(number)}' lacks batches at its end.");
            }

            live.Add(segment);
            end = header.PreviousEnd;
            number--;
        }
        while (number >= oldest);

        live.Reverse();
        return new LogRecovery(live, numbers.Where(found => found < oldest).ToArray(), nextSequence, hasSpare);
    }

    public static LogSegment ReadHeader(IDiskFile file, string name)
    {
        var page = new byte[LogSegment.HeaderBytes];
        var count = file.Read(0, page);
        return LogSegment.Decode(name, page.AsMemory(0, count));
    }

    private static (LogSegment Header, LiveSegment Segment, long Oldest, long NextSequence) Check(
        IDisk disk, LogIdentity identity, long number, long? end)
    {
        var name = LogSegment.NameOf(number);
        using var file = disk.Open(name);
        var header = ReadHeader(file, name);
        Accept(header, identity, name);
        if (header.Number != number)
        {
            throw new LogDamaged(name, 0, $"The log segment '{name}' holds segment {header.Number}.");
        }

        var oldest = header.Oldest;
        var sequence = header.FirstSequence;
        var reached = (long)LogSegment.HeaderBytes;
        foreach (var batch in new SegmentReader(file, name, number, LogSegment.SeedOf(identity)).Batches(header.FirstSequence, end))
        {
            oldest = batch.Header.Oldest;
            sequence = batch.Header.Sequence + 1;
            reached = batch.Header.End;
        }

        return (header, new LiveSegment(number, header.FirstSequence, reached, file.Length), oldest, sequence);
    }

    private static void Accept(LogSegment header, LogIdentity identity, string name)
    {
        if (header.Identity != identity)
        {
            throw new LogRefused(
                $"The log segment '{name}' belongs to {header.Identity}, and this is {identity}.",
                "A node must never recover from another node's promises; nothing was changed.",
                "Point this node at its own data folder, or at an empty one if it is new.");
        }
    }

    private static LogDamaged Missing(long number)
    {
        var name = LogSegment.NameOf(number);
        return new LogDamaged(name, 0, $"The log segment '{name}' is missing.");
    }
}
