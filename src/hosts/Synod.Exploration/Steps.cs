using Synod.Core;

namespace Synod.Exploration;

/// <summary>
/// Runs a node's steps and plays its host: records wait in memory until they are made durable, and what was sent or answered
/// after them waits as long. Each (local state, input) is run once.
/// </summary>
internal sealed class Steps<TMessage, TRecord, TCommand, TResult>(
    Model<TMessage, TRecord, TCommand, TResult> model,
    Locals<TMessage, TRecord, TCommand, TResult> locals)
{
    private readonly Dictionary<UInt128, Outcome[]> _known = [];
    private readonly ExplorerContext _context = new(model.ChoiceLimit);
    private readonly List<int> _sent = [];
    private readonly Submission<TCommand>[][] _scripts =
        [.. model.Nodes.Select(node => model.Submissions.Where(item => item.Node == node).ToArray())];

    /// <summary>How many steps were worked out.</summary>
    public int Count => _known.Count;

    public bool HasSubmission(int number)
    {
        var local = locals[number];
        var script = _scripts[local.Node];
        return local.Submitted < script.Length
            && (model.SubmitWhen is null || model.SubmitWhen(locals.View(number).Protocol, script[local.Submitted].Command));
    }

    public Outcome[] Start(int node, bool eager) => Run(new Local { Node = node }, MoveKind.Crash, 0, 0, eager);

    /// <summary>What a move does to a node; one outcome for each combination of choices.</summary>
    /// <param name="eager">
    /// Records become durable at once. With no crash to come that cannot be told from a slower network, so it loses no behaviour.
    /// </param>
    public Outcome[] Take(int local, MoveKind kind, int argument, int time, bool eager)
    {
        var key = new UInt128((ulong)(uint)local << 32 | (uint)argument, (ulong)(uint)time << 32 | (uint)kind << 1 | (eager ? 1u : 0));
        if (!_known.TryGetValue(key, out var outcomes))
        {
            outcomes = Run(locals[local], kind, argument, time, eager);
            _known.Add(key, outcomes);
        }

        return outcomes;
    }

    private Outcome[] Run(Local before, MoveKind kind, int argument, int time, bool eager)
    {
        if (kind == MoveKind.MakeDurable)
        {
            _sent.Clear();
            return [Finish(Flush(before, argument), eager)];
        }

        var outcomes = new List<Outcome>();
        do
        {
            var now = kind == MoveKind.Fire ? model.FiringTime : default;
            var shift = new Duration(time);
            _context.Begin(now, model.TrueTime with
            {
                Earliest = model.TrueTime.Earliest + shift,
                Latest = model.TrueTime.Latest + shift,
            });
            _sent.Clear();
            outcomes.Add(Attempt(before, kind, argument, eager));
        }
        while (_context.Advance());

        return [.. outcomes];
    }

    private Outcome Attempt(Local before, MoveKind kind, int argument, bool eager)
    {
        try
        {
            return Finish(Step(before, kind, argument), eager);
        }
        catch (Exception failure)
        {
            // Whatever a step throws is a finding: the search reports it with the way that led there.
            return new Outcome(-1, [], failure is InvariantViolation ? failure.Message : failure.ToString());
        }
    }

    private Local Step(Local before, MoveKind kind, int argument)
    {
        if (kind == MoveKind.Crash)
        {
            return Restart(before);
        }

        var protocol = locals.Load(before);
        var outbox = new Outbox<TMessage, TRecord, TCommand, TResult>(before.Pending.Length);
        var after = before;
        switch (kind)
        {
            case MoveKind.Deliver:
                var message = locals.Message(argument);
                protocol.Receive(message.From, message.Message, _context, outbox);
                break;
            case MoveKind.Fire:
                after = before with { Timers = [.. before.Timers.Where((_, index) => index != argument)] };
                protocol.Fire(before.Timers[argument], _context, outbox);
                break;
            default:
                var command = _scripts[before.Node][before.Submitted].Command;
                after = before with { Submitted = before.Submitted + 1 };
                protocol.Submit(new RequestId(after.Submitted), command, _context, outbox);
                break;
        }

        return Collect(after with { State = locals.Save(protocol) }, outbox);
    }

    private Local Restart(Local before)
    {
        var protocol = model.Make(model.Nodes[before.Node]);
        var outbox = new Outbox<TMessage, TRecord, TCommand, TResult>();
        var records = before.Durable.Select(bytes => Locals<TMessage, TRecord, TCommand, TResult>.Read(model.Records, bytes)).ToList();
        protocol.Recover(records, _context, outbox);
        return Collect(before with { State = locals.Save(protocol), Pending = [], Held = [], Timers = [] }, outbox);
    }

    private Local Collect(Local local, Outbox<TMessage, TRecord, TCommand, TResult> outbox)
    {
        var held = new List<Held>(local.Held);
        foreach (var sent in outbox.Messages)
        {
            if (model.AlwaysLost?.Invoke(sent.Message) == true)
            {
                continue;
            }

            held.Add(new Held(false, sent.To.Value, locals.Write(model.Messages, sent.Message), sent.RecordsBefore));
        }

        var pending = new List<byte[]>(local.Pending);
        foreach (var record in outbox.Records)
        {
            pending.Add(locals.Write(model.Records, record));
        }

        var executions = local.Executions;
        if (model.Commands is not null)
        {
            foreach (var executed in outbox.Executions)
            {
                executions = Output.Include(executions, new(executed.Position.Value, locals.Write(model.Commands, executed.Command)));
            }
        }

        if (model.Results is not null)
        {
            foreach (var answer in outbox.Answers)
            {
                held.Add(new Held(true, answer.Request.Value, locals.Write(model.Results, answer.Result), answer.RecordsBefore));
            }
        }

        return Flush(
            local with { Held = [.. held], Pending = [.. pending], Executions = executions, Timers = Rearm(local.Timers, outbox.Timers) }, 0);
    }

    private static TimerId[] Rearm(TimerId[] timers, ReadOnlySpan<TimerChange> changes)
    {
        if (changes.IsEmpty)
        {
            return timers;
        }

        var armed = new SortedSet<TimerId>(timers);
        foreach (var change in changes)
        {
            _ = change.Set ? armed.Add(change.Timer) : armed.Remove(change.Timer);
        }

        return [.. armed];
    }

    /// <summary>Makes the first <paramref name="count"/> pending records durable and lets go what waited for no more than these.</summary>
    private Local Flush(Local local, int count)
    {
        var waiting = new List<Held>();
        var answers = local.Answers;
        foreach (var held in local.Held)
        {
            if (held.Before > count)
            {
                waiting.Add(held with { Before = held.Before - count });
            }
            else if (held.IsAnswer)
            {
                answers = Output.Include(answers, new Output(held.Address, held.Bytes));
            }
            else if (locals.IndexOf(new NodeId((int)held.Address)) >= 0)
            {
                _sent.Add(locals.Number(model.Nodes[local.Node], new NodeId((int)held.Address), held.Bytes));
            }
        }

        return local with
        {
            Durable = count == 0 ? local.Durable : [.. local.Durable, .. local.Pending[..count]],
            Pending = count == 0 ? local.Pending : local.Pending[count..],
            Held = [.. waiting],
            Answers = answers,
        };
    }

    private Outcome Finish(Local local, bool eager)
    {
        var settled = eager && local.Pending.Length > 0 ? Flush(local, local.Pending.Length) : local;
        return new Outcome(locals.Number(settled), [.. _sent]);
    }
}
