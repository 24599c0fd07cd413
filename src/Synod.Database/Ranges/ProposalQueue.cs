using Synod.Core;

namespace Synod.Database.Ranges;

/// <summary>
/// What a leader wants agreed on, on its way to consensus. All that one turn of the host brings goes into one slot: one message to
/// each replica, one record and one acknowledgement for everything in it.
/// </summary>
internal sealed class ProposalQueue
{
    /// <summary>A slot is sent and applied as a whole: beyond this length the next command begins another.</summary>
    private const int SlotBytes = 256 << 10;

    private readonly Queue<(Ballot Term, RangeCommand Command)> _commands = [];
    private readonly Queue<(Ballot Term, RangeCommand Command)> _patient = [];
    private readonly CodecWriter _writer = new();
    private Instant _patience;

    /// <summary>When a slot should be begun; null while there is nothing to agree on.</summary>
    public Instant? Due(Instant now) => _commands.Count > 0 ? now : _patient.Count > 0 ? _patience : null;

    /// <summary>Adds a command for this turn's slot, under the term of its leader.</summary>
    public void Add(Ballot term, RangeCommand command) => _commands.Enqueue((term, command));

    /// <summary>Adds a command that nobody waits for: it goes with the next slot, or at <paramref name="until"/> at the latest.</summary>
    public void AddPatient(Ballot term, RangeCommand command, Instant until)
    {
        if (_patient.Count == 0)
        {
            _patience = until;
        }

        _patient.Enqueue((term, command));
    }

    /// <summary>Somebody waits now for what nobody waited for.</summary>
    public void Hurry()
    {
        while (_patient.TryDequeue(out var command))
        {
            _commands.Enqueue(command);
        }
    }

    /// <summary>
    /// The value of the next slot, to be proposed in <paramref name="term"/>; false if there is none. Commands of other terms are
    /// dropped: their leader has ended, and whoever waited for them was told so.
    /// </summary>
    public bool TryTake(Ballot term, out ReadOnlyMemory<byte> value)
    {
        Hurry();
        _writer.Clear();
        var count = 0;
        while (_commands.TryPeek(out var next))
        {
            if (next.Term != term)
            {
                _commands.Dequeue();
                continue;
            }

            if (count > 0 && (next.Command.IsAlone || _writer.Length > SlotBytes))
            {
                break;
            }

            _commands.Dequeue();
            if (count++ == 0)
            {
                _writer.Ballot(term);
            }

            next.Command.Write(_writer);
            if (next.Command.IsAlone)
            {
                break;
            }
        }

        value = count > 0 ? _writer.ToArray() : default;
        return count > 0;
    }
}
