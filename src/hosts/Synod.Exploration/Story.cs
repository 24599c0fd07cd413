using System.Globalization;
using Synod.Core;

namespace Synod.Exploration;

/// <summary>Tells worlds and moves in words.</summary>
internal sealed class Story<TMessage, TRecord, TCommand, TResult>(
    Model<TMessage, TRecord, TCommand, TResult> model, Locals<TMessage, TRecord, TCommand, TResult> locals, Layout layout)
{
    public CounterexampleStep Begin(int[] world) => new("start", Nodes(world));

    /// <summary>The step from <paramref name="before"/> by <paramref name="move"/> to <paramref name="after"/>.</summary>
    public CounterexampleStep Tell(int[] before, Move move, int[] after, string? broken) =>
        new(Action(before, move) + (broken is null ? "" : $": {broken}"), Nodes(after));

    private string Action(int[] world, Move move)
    {
        var node = model.Nodes[move.Node];
        return move.Kind switch
        {
            MoveKind.Deliver => Message(move.Argument),
            MoveKind.Duplicate => Message(move.Argument) + " (a copy stays under way)",
            MoveKind.Drop => "lost: " + Message(move.Argument),
            MoveKind.MakeDurable => Durable(node, locals.View(world[move.Node]), move.Argument),
            MoveKind.Crash => $"{node} crashes and restarts",
            MoveKind.Fire => $"{node}: {model.NameTimer(locals[world[move.Node]].Timers[move.Argument])} fires",
            MoveKind.Submit => $"{node} is asked for {Submitted(node, locals[world[move.Node]].Submitted)}",
            _ => "true time ticks",
        };
    }

    private TCommand Submitted(NodeId node, int index) => model.Submissions.Where(item => item.Node == node).ElementAt(index).Command;

    private string Message(int number)
    {
        var (from, to, message) = locals.Message(number);
        return $"{from} → {to}: {message}";
    }

    private static string Durable(NodeId node, NodeView<TMessage, TRecord, TCommand, TResult> view, int count) =>
        $"{node} makes durable: {string.Join("; ", view.Pending.Take(count))}";

    private List<string> Nodes(int[] world)
    {
        var lines = new List<string>();
        for (var node = 0; node < layout.Nodes; node++)
        {
            var view = locals.View(world[node]);
            var printer = new StatePrinter();
            view.Protocol.State(printer);
            lines.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"{view.Id}: {printer} | durable={view.Durable.Count} pending={view.Pending.Count} timers={view.Timers.Count}"));
        }

        return lines;
    }
}
