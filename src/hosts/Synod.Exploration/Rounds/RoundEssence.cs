using System.IO.Hashing;
using System.Runtime.InteropServices;
using Synod.Core;

namespace Synod.Exploration;

/// <summary>
/// Says what decides on what follows from a world at the end of a round. Worlds that are equal in it go on as one: the less it says, the
/// fewer they are, and it must say enough. That is so if equal worlds, run through the same round, come out equal again; a test follows
/// all worlds to see it (<see cref="RoundExplorer.Prints"/>).
/// </summary>
public abstract class RoundEssence<TMessage, TRecord, TCommand, TResult>
{
    /// <summary>
    /// Whether worlds of different rounds can be equal in it. One that equals one of an earlier round is followed no further: whatever can
    /// happen in the rounds that are left could happen there.
    /// </summary>
    public virtual bool ForgetsRounds => false;

    /// <summary>From now on worlds are noted as they are after so many rounds; earlier notes are over.</summary>
    public virtual void Begin(int round)
    {
    }

    /// <summary>Takes out of a node what decides on nothing that follows, so that fewer runs are worked out twice.</summary>
    public virtual void Simplify(Protocol<TMessage, TRecord, TCommand, TResult> node)
    {
    }

    /// <summary>Writes what properties see of a node: they are asked once of nodes that are equal in it.</summary>
    public virtual void Witness(CodecWriter writer, Protocol<TMessage, TRecord, TCommand, TResult> node) =>
        node.State(new StateWriter(writer));

    /// <summary>
    /// Writes what tells a node from one that acts otherwise or looks otherwise to properties, wherever the round is: steps are worked out once
    /// for nodes that are equal in it.
    /// </summary>
    public abstract void WriteWithin(CodecWriter writer, Protocol<TMessage, TRecord, TCommand, TResult> node);

    /// <summary>Writes what tells a message from one that is acted on otherwise, wherever the round is.</summary>
    public abstract void WriteWithin(CodecWriter writer, TMessage message);

    /// <summary>What is to be known of a part of a world for the prints of the worlds that it is in.</summary>
    public abstract RoundNote Note(RoundPart<TMessage, TRecord, TCommand, TResult> part, IReadOnlyList<Renaming> renamings);

    /// <summary>Looks at a world before it is printed.</summary>
    /// <param name="notes">Of each node, and last of what may be said again.</param>
    public virtual void Behold(ReadOnlySpan<RoundNote> notes)
    {
    }

    /// <summary>The print of the world that was looked at last, under new names.</summary>
    public abstract UInt128 Print(ReadOnlySpan<RoundNote> notes, Renaming renaming);

    /// <summary>
    /// What of a node decides on nothing in the world that was looked at last, though it would in others; equal for equal things, and zero for
    /// nothing.
    /// </summary>
    public virtual UInt128 Surplus(RoundNote note) => UInt128.Zero;

    /// <summary>Takes the surplus out of the node.</summary>
    public virtual void Forget(RoundNote note, Protocol<TMessage, TRecord, TCommand, TResult> node)
    {
    }
}

/// <summary>A node at the end of a round, or what may be said again.</summary>
/// <param name="Index">The node's position in the model's list; negative for what may be said again.</param>
/// <param name="Node">Null for what may be said again.</param>
/// <param name="Waiting">What the node said for later rounds, in the order in which each receiver would hear it.</param>
/// <param name="Timers">Those that are armed.</param>
/// <param name="Submitted">How many submissions the node was given.</param>
public sealed record RoundPart<TMessage, TRecord, TCommand, TResult>(
    int Index,
    Protocol<TMessage, TRecord, TCommand, TResult>? Node,
    IReadOnlyList<Waiting<TMessage>> Waiting,
    IReadOnlyList<TimerId> Timers,
    int Submitted);

/// <summary>A message that waits for a later round.</summary>
/// <param name="From">The sender's position in the model's list of nodes; negative for what may be said again.</param>
/// <param name="To">The receiver's; likewise.</param>
/// <param name="Message">What is said.</param>
public readonly record struct Waiting<TMessage>(int From, int To, TMessage Message);

/// <summary>What an essence keeps of a part of a world.</summary>
public abstract class RoundNote
{
    /// <summary>A print of the part that is the same whatever the names of nodes.</summary>
    public UInt128 Face { get; init; }
}

/// <summary>An essence of parts that can be written one by one, whatever else is in the world.</summary>
public abstract class PartwiseEssence<TMessage, TRecord, TCommand, TResult> : RoundEssence<TMessage, TRecord, TCommand, TResult>
{
    private readonly CodecWriter _writer = new();
    private readonly CodecWriter _said = new();
    private UInt128[] _print = [];

    /// <summary>Writes what tells a node from one that will act otherwise.</summary>
    public abstract void Write(CodecWriter writer, Protocol<TMessage, TRecord, TCommand, TResult> node);

    /// <summary>Writes what tells a message from one that will be acted on otherwise.</summary>
    public abstract void Write(CodecWriter writer, TMessage message);

    public override void WriteWithin(CodecWriter writer, Protocol<TMessage, TRecord, TCommand, TResult> node)
    {
        Write(writer, node);
        Witness(writer, node);
    }

    public override void WriteWithin(CodecWriter writer, TMessage message) => Write(writer, message);

    public override RoundNote Note(RoundPart<TMessage, TRecord, TCommand, TResult> part, IReadOnlyList<Renaming> renamings)
    {
        var prints = new UInt128[renamings.Count];
        foreach (var renaming in renamings)
        {
            _writer.Clear();
            _writer.Renaming = renaming.Of;
            _writer.Int(part.Submitted);
            foreach (var timer in part.Timers)
            {
                _writer.Int(timer.Kind);
            }

            if (part.Node is not null)
            {
                Write(_writer, part.Node);
            }

            // Added up, since nobody hears what others are told: to whom first is nothing to anyone.
            var said = UInt128.Zero;
            for (var index = 0; index < part.Waiting.Count; index++)
            {
                var (from, to, message) = part.Waiting[index];
                _said.Clear();
                _said.Renaming = renaming.Of;
                _said.Int(part.Waiting.Take(index).Count(other => other.To == to));
                _said.Int(from < 0 ? -1 : renaming.Places[from]);
                _said.Int(to < 0 ? -1 : renaming.Places[to]);
                Write(_said, message);
                said += XxHash128.HashToUInt128(_said.Span);
            }

            _writer.Fixed64((ulong)said);
            _writer.Fixed64((ulong)(said >> 64));
            _writer.Renaming = null;
            prints[renaming.Number] = XxHash128.HashToUInt128(_writer.Span);
        }

        return new Prints(prints);
    }

    public override UInt128 Print(ReadOnlySpan<RoundNote> notes, Renaming renaming)
    {
        Array.Resize(ref _print, notes.Length);
        for (var index = 0; index < notes.Length; index++)
        {
            var place = index < renaming.Places.Length ? renaming.Places[index] : index;
            _print[place] = ((Prints)notes[index]).Of(renaming);
        }

        return XxHash128.HashToUInt128(MemoryMarshal.AsBytes(_print.AsSpan()));
    }

    /// <summary>The prints of a part under each renaming.</summary>
    private sealed class Prints : RoundNote
    {
        private readonly UInt128[] _prints;

        public Prints(UInt128[] prints)
        {
            _prints = prints;
            Face = prints[^1];
        }

        public UInt128 Of(Renaming renaming) => _prints[renaming.Number];
    }
}

/// <summary>What an essence says of ends of rounds, and within rounds everything: nothing is taken for equal that is not.</summary>
internal sealed class Followed<TMessage, TRecord, TCommand, TResult>(
    RoundEssence<TMessage, TRecord, TCommand, TResult> essence, IWire<TMessage> messages)
    : RoundEssence<TMessage, TRecord, TCommand, TResult>
{
    public override bool ForgetsRounds => essence.ForgetsRounds;

    public override void Begin(int round) => essence.Begin(round);

    public override void WriteWithin(CodecWriter writer, Protocol<TMessage, TRecord, TCommand, TResult> node) =>
        node.State(new StateWriter(writer));

    public override void WriteWithin(CodecWriter writer, TMessage message) => messages.Write(writer, message);

    public override RoundNote Note(RoundPart<TMessage, TRecord, TCommand, TResult> part, IReadOnlyList<Renaming> renamings) =>
        essence.Note(part, renamings);

    public override void Behold(ReadOnlySpan<RoundNote> notes) => essence.Behold(notes);

    public override UInt128 Print(ReadOnlySpan<RoundNote> notes, Renaming renaming) => essence.Print(notes, renaming);
}

/// <summary>All of it.</summary>
internal sealed class WholeState<TMessage, TRecord, TCommand, TResult>(IWire<TMessage> messages)
    : PartwiseEssence<TMessage, TRecord, TCommand, TResult>
{
    public override void Write(CodecWriter writer, Protocol<TMessage, TRecord, TCommand, TResult> node) =>
        node.State(new StateWriter(writer));

    public override void Write(CodecWriter writer, TMessage message) => messages.Write(writer, message);
}
