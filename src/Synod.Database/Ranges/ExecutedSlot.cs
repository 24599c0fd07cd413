using Synod.Core;

namespace Synod.Database.Ranges;

/// <summary>What a range's group agreed on for one slot.</summary>
/// <param name="Slot">Where.</param>
/// <param name="Term">That of the leader who proposed it, which need not be the one that got it chosen.</param>
/// <param name="Commands">In the order in which they are applied; at least one.</param>
internal readonly record struct ExecutedSlot(Slot Slot, Ballot Term, RangeCommand[] Commands)
{
    /// <summary>No replica applies the slot before this has passed.</summary>
    public Timestamp VisibleAfter
    {
        get
        {
            var last = Timestamp.Zero;
            foreach (var command in Commands)
            {
                last = Timestamp.Max(last, command.VisibleAfter);
            }

            return last;
        }
    }

    /// <summary>Reads the value of a slot. It went through consensus: a mismatch is our bug.</summary>
    public static ExecutedSlot Parse(Slot slot, ReadOnlyMemory<byte> value)
    {
        var reader = new CodecReader(value);
        var term = reader.Ballot();
        var first = ReadCommand(ref reader);
        if (reader.IsComplete)
        {
            return new ExecutedSlot(slot, term, [first]);
        }

        List<RangeCommand> commands = [first];
        while (!reader.IsComplete)
        {
            commands.Add(ReadCommand(ref reader));
        }

        return new ExecutedSlot(slot, term, [.. commands]);
    }

    private static RangeCommand ReadCommand(ref CodecReader reader)
    {
        var command = RangeCommand.Read(ref reader);
        Invariant.Check(command is not null && !reader.Failed, "CommandReadable");
        return command;
    }
}
