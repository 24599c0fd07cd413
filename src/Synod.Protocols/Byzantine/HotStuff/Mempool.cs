using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// The commands that this replica knows and that are not executed: submitted here, or seen in a block. They stay until then, so that
/// commands of orphaned blocks are proposed again.
/// </summary>
internal sealed class Mempool
{
    private static readonly HotStuff.CommandWire Wire = new();

    private readonly SortedDictionary<CommandId, HotStuff.Command> _commands = [];

    public int Count => _commands.Count;

    public int CountOf(NodeId client)
    {
        var count = 0;
        foreach (var id in _commands.Keys)
        {
            count += id.Client == client ? 1 : 0;
        }

        return count;
    }

    public bool Contains(HotStuff.Command command) =>
        _commands.TryGetValue(new(command.Client, command.Sequence), out var known) && known.Equals(command);

    public void Add(HotStuff.Command command) => _commands.TryAdd(new(command.Client, command.Sequence), command);

    public void Remove(HotStuff.Command command) => _commands.Remove(new(command.Client, command.Sequence));

    /// <summary>Forgets what can no longer be executed: the client's commands up to <paramref name="sequence"/>.</summary>
    public void RemoveUpTo(NodeId client, long sequence)
    {
        foreach (var id in _commands.Keys.Where(id => id.Client == client && id.Sequence <= sequence).ToList())
        {
            _commands.Remove(id);
        }
    }

    /// <summary>
    /// The commands for a block: of each client those above <paramref name="taken"/> in ascending order, and clients in turns, beginning
    /// with another one in each view, so that none is starved.
    /// </summary>
    public IEnumerable<HotStuff.Command> Pick(int most, long view, IReadOnlyDictionary<NodeId, long> taken)
    {
        var turns = new List<(int Turn, int Client, HotStuff.Command Command)>();
        var (client, turn) = (-1, 0);
        var last = NodeId.None;
        foreach (var (id, command) in _commands)
        {
            if (taken.TryGetValue(id.Client, out var sequence) && id.Sequence <= sequence)
            {
                continue;
            }

            (client, turn) = client >= 0 && id.Client == last ? (client, turn + 1) : (client + 1, 0);
            last = id.Client;
            turns.Add((turn, client, command));
        }

        var clients = client + 1;
        return turns.OrderBy(item => item.Turn).ThenBy(item => (item.Client + view) % clients).Select(item => item.Command).Take(most);
    }

    public void State(StateVisitor visitor) => visitor.Visit(
        "mempool",
        _commands,
        static (v, ref id) =>
        {
            var (client, sequence) = id;
            v.Visit("", ref client);
            v.Visit("", ref sequence);
            id = new CommandId(client, sequence);
        },
        static (v, ref command) => v.Visit("", ref command, Wire));

    private readonly record struct CommandId(NodeId Client, long Sequence) : IComparable<CommandId>
    {
        public int CompareTo(CommandId other) =>
            Client != other.Client ? Client.CompareTo(other.Client) : Sequence.CompareTo(other.Sequence);
    }
}
