using Synod.Core;

namespace Synod.Exploration;

/// <summary>Runs one round: submissions, deliveries until nothing of the round is under way, then the timers that expire.</summary>
internal sealed class RoundRun<TMessage, TRecord, TCommand, TResult>(
    RoundModel<TMessage, TRecord, TCommand, TResult> model,
    Locals<TMessage, TRecord, TCommand, TResult> locals,
    Steps<TMessage, TRecord, TCommand, TResult> steps,
    Layout layout)
{
    /// <summary>More deliveries than this in a round mean that messages breed messages for ever.</summary>
    private const int MaxDeliveries = 100_000;

    private int[] _world = [];

    /// <summary>The claim that a step of the last round broke.</summary>
    public string? Broken { get; private set; }

    /// <summary>The world after a round, the last that liars have said by then of each kind, and whether a lie was told.</summary>
    public (int[] World, int[] Said, bool HasLied) Take(int[] world, int[] said, int round, Partition partition, Lie<TMessage>? lie)
    {
        _world = world;
        Broken = null;
        Submit();
        var (saidNow, hasLied) = Deliver(said, round, partition, lie);
        Fire((protocol, timer) => model.Elapses(protocol, timer));
        var (saidThen, hasLiedThen) = Deliver(saidNow, round, partition, lie);
        (saidNow, hasLied) = (saidThen, hasLied || hasLiedThen);
        Fire((protocol, timer) => model.Expires(protocol, timer, round));
        return (_world, saidNow, hasLied);
    }

    private void Submit()
    {
        for (var node = 0; node < layout.Nodes && Broken is null; node++)
        {
            if (steps.HasSubmission(_world[node]))
            {
                Step(node, MoveKind.Submit, 0, -1);
            }
        }
    }

    private (int[] Said, bool HasLied) Deliver(int[] said, int round, Partition partition, Lie<TMessage>? lie)
    {
        var earlier = lie is null ? [] : said.Select(number => locals.Message(number).Message).ToList();
        var now = model.MaxLies > 0 ? new List<int>(said) : null;
        var hasLied = false;
        var count = 0;
        while (Broken is null && Next(round) is var at and >= 0)
        {
            var number = _world[at];
            var (from, to, message) = locals.Message(number);
            if (++count > MaxDeliveries)
            {
                Broken = "MessagesEnd";
            }
            else if (!partition.Connects(from, to))
            {
                _world = layout.Next(_world, at, []);
            }
            else if (model.Liars.Contains(from) && from != to)
            {
                now?.RemoveAll(other => locals.Message(other).Message!.GetType() == message!.GetType());
                now?.Add(number);
                var told = lie is null ? default : lie.Tell(message, earlier);
                hasLied |= told is not null;
                var heard = told is null ? number : locals.Number(from, to, locals.Write(model.Model.Messages, told));
                Step(locals.Target(number), MoveKind.Deliver, heard, at);
            }
            else
            {
                Step(locals.Target(number), MoveKind.Deliver, number, at);
            }
        }

        return (now is null ? said : [.. now], hasLied);
    }

    /// <summary>The first message under way that is not of a later round.</summary>
    private int Next(int round)
    {
        for (var at = layout.Network; at < _world.Length; at++)
        {
            if (!(model.RoundOf(locals.Message(_world[at]).Message) > round))
            {
                return at;
            }
        }

        return -1;
    }

    private void Fire(Func<Protocol<TMessage, TRecord, TCommand, TResult>, TimerId, bool> isDue)
    {
        for (var node = 0; node < layout.Nodes; node++)
        {
            foreach (var timer in locals[_world[node]].Timers)
            {
                var at = Array.IndexOf(locals[_world[node]].Timers, timer);
                if (at >= 0 && Broken is null && isDue(locals.View(_world[node]).Protocol, timer))
                {
                    Step(node, MoveKind.Fire, at, -1);
                }
            }
        }
    }

    private void Step(int node, MoveKind kind, int argument, int removed)
    {
        var outcome = steps.Take(_world[node], kind, argument, _world[layout.Time], true)[0];
        Broken = outcome.Broken;
        if (Broken is null)
        {
            _world = layout.Next(_world, removed, outcome.Sent);
            _world[node] = outcome.Local;
        }
    }
}
