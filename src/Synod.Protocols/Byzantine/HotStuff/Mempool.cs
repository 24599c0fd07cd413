using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// The commands that this replica knows and that are not executed: submitted here, or seen in a block. They stay until then, so that
/// commands of orphaned blocks are proposed again.
/// </summary>
internal sealed class Mempool
{
    private static readonly HotStuff.CommandWire Wire = new();

    private readonly SortedDictionary<NodeId, SortedDictionary<long, HotStuff.Command>> _commands = [];

    public int Count { get; private set; }

    public int CountOf(NodeId client) => _commands.TryGetValue(client, out var own) ? own.Count : 0;

    public bool Contains(HotStuff.Command command) =>
        _commands.TryGetValue(command.Client, out var own) && own.TryGetValue(command.Sequence, out var known) && known.Equals(command);

    public void Add(HotStuff.Command command)
    {
        if (!_commands.TryGetValue(command.Client, out var own))
        {
            _commands.Add(command.Client, own = []);
        }

        Count += own.TryAdd(command.Sequence, command) ? 1 : 0;
    }

    /// <summary>Forgets what can no longer be executed: the client's commands up to <paramref name="sequence"/>.</summary>
    public void RemoveUpTo(NodeId client, long sequence)
    {
        while (_commands.TryGetValue(client, out var own) && own.First().Key is var first && first <= sequence)
        {
            own.Remove(first);
            Count--;
            if (own.Count == 0)
            {
                _commands.Remove(client);
            }
        }
    }

    /// <summary>
    /// The commands for a block: of each client those above <paramref name="taken"/> in ascending order, and clients in turns, beginning
    /// with another one in each view, so that none is starved.
    /// </summary>
    public IEnumerable<HotStuff.Command> Pick(int most, long view, IReadOnlyDictionary<NodeId, long> taken)
    {
        var turns = new List<(int Turn, int Client, HotStuff.Command Command)>();
        var clients = 0;
        foreach (var (client, own) in _commands)
        {
            var (above, turn) = (taken.GetValueOrDefault(client, long.MinValue), 0);
            foreach (var (sequence, command) in own)
            {
                if (sequence > above)
                {
                    turns.Add((turn++, clients, command));
                }
            }

            clients += turn > 0 ? 1 : 0;
        }

        return turns.OrderBy(item => item.Turn).ThenBy(item => (item.Client + view) % clients).Select(item => item.Command).Take(most);
    }

    public void State(StateVisitor visitor)
    {
        visitor.Visit(
            "mempool",
            _commands,
            static (v, ref client) => v.Visit("", ref client),
            static (v, ref own) =>
            {
                own ??= [];
                v.Visit("", own, static (w, ref sequence) => w.Visit("", ref sequence), static (w, ref command) => w.Visit("", ref command, Wire));
            });
        Count = _commands.Values.Sum(own => own.Count);
    }
}
