using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Synod.Exploration;

/// <summary>
/// Says which worlds at the end of a round are one: those that are equal in what matters under some renaming of the nodes that are
/// alike. The least of the renamed worlds' prints stands for all.
/// </summary>
/// <remarks>
/// Why one of them suffices: nodes act in the order of the names that this renaming gives them. Two worlds that are one therefore run through a
/// round alike, step by step, and what comes out are worlds that are one again. A schedule is run in one order of deliveries, and renamed worlds
/// share it.
/// </remarks>
internal sealed class RoundPrints<TMessage, TRecord, TCommand, TResult>(
    RoundModel<TMessage, TRecord, TCommand, TResult> model,
    RoundEssence<TMessage, TRecord, TCommand, TResult> essence,
    IReadOnlyList<Renaming> renamings)
{
    private readonly RoundNote[] _notes = new RoundNote[model.Model.Nodes.Count + 1];
    private readonly List<UInt128> _print = [];

    /// <summary>The print of a world and the renaming that gives it. The essence has looked at this world last.</summary>
    public (UInt128 Print, int Order) Of(RoundNodes<TMessage, TRecord, TCommand, TResult> nodes, RoundWorld world, int round)
    {
        var from = world.Drawn.End;
        for (var index = 0; index < world.Nodes.Length; index++)
        {
            _notes[index] = nodes[world.Nodes[index]].Note;
            from = Math.Min(from, nodes[world.Nodes[index]].AsksFrom);
        }

        _notes[^1] = nodes.SaidNote(world.Said);
        essence.Behold(_notes);
        var (least, order) = (UInt128.MaxValue, 0);
        for (var number = 0; number + 1 < renamings.Count; number++)
        {
            var renaming = renamings[number];
            if (renamings.Count > 2 && !renaming.IsInOrder(_notes))
            {
                continue;
            }

            var print = Of(renaming, world, from, essence.ForgetsRounds ? round : 0);
            if (print < least)
            {
                (least, order) = (print, number);
            }
        }

        return (least, order);
    }

    private UInt128 Of(Renaming renaming, RoundWorld world, int from, int origin)
    {
        _print.Clear();
        _print.Add(essence.Print(_notes, renaming));
        _print.Add((UInt128)(uint)world.Lies);
        for (var asked = from; asked < world.Drawn.End; asked++)
        {
            var leader = model.Leaders!.NodeOf(world.Drawn, asked);
            _print.Add(new UInt128((uint)renaming.Of(leader).Value, unchecked((ulong)(asked - origin))));
        }

        return XxHash128.HashToUInt128(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_print)));
    }
}
