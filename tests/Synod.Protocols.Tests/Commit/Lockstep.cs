using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;

namespace Synod.Protocols.Tests.Commit;

/// <summary>
/// Runs a room message delay by message delay and counts what the notes count: messages between different nodes, the delay at which
/// something happens, and forced writes, which are steps whose own records a message or answer waits for.
/// </summary>
internal sealed class Lockstep<TMessage, TRecord>
    where TMessage : class
    where TRecord : class
{
    private readonly SortedDictionary<NodeId, Protocol<TMessage, TRecord, CommitCommand, CommitResult>> _nodes = [];
    private readonly Still _still = new();
    private List<(NodeId From, NodeId To, TMessage Message)> _network = [];
    private long _requests;

    public Lockstep(CommitRoom<TMessage, TRecord> room, int nodes)
    {
        for (var number = 1; number <= nodes; number++)
        {
            _nodes.Add(new NodeId(number), room.Make(new NodeId(number)));
        }
    }

    /// <summary>Messages between different nodes, by kind.</summary>
    public SortedDictionary<string, int> Sent { get; } = new(StringComparer.Ordinal);

    public int Messages => Sent.Values.Sum();

    public int Forced { get; private set; }

    /// <summary>The delay after which the last participant had applied.</summary>
    public int AppliedAfter { get; private set; }

    /// <summary>The delay after which the client was told.</summary>
    public int AnsweredAfter { get; private set; }

    /// <summary>The answer.</summary>
    public CommitResult? Answer { get; private set; }

    /// <summary>Commits one transaction uncounted, so that the epoch is claimed, and then a counted one.</summary>
    public Lockstep<TMessage, TRecord> Commit(NodeId at, NodeSet members)
    {
        Run(at, CommitModels.Begin(members));
        Sent.Clear();
        Forced = 0;
        Run(at, CommitModels.Begin(members));
        return this;
    }

    /// <summary>Opens a transaction, which all members join, uncounted; and counts what it costs to commit it.</summary>
    public Lockstep<TMessage, TRecord> CommitJoined(NodeId at, NodeSet members)
    {
        Run(at, new CommitCommand.Open());
        var id = ((CommitResult.Opened)Answer!).Transaction;
        foreach (var branch in CommitModels.Begin(members).Branches)
        {
            Run(branch.Participant, new CommitCommand.Enlist(id, branch.Writes));
        }

        Sent.Clear();
        Forced = 0;
        Run(at, new CommitCommand.Commit(id));
        return this;
    }

    private void Run(NodeId at, CommitCommand begin)
    {
        var delay = 0;
        Step(at, delay, (node, outbox) => node.Submit(new RequestId(++_requests), begin, _still, outbox));
        while (_network.Count > 0)
        {
            delay++;
            var arriving = _network;
            _network = [];
            foreach (var (from, to, message) in arriving)
            {
                Step(to, delay, (node, outbox) => node.Receive(from, message, _still, outbox));
            }
        }
    }

    private void Step(
        NodeId self,
        int delay,
        Action<Protocol<TMessage, TRecord, CommitCommand, CommitResult>, Outbox<TMessage, TRecord, CommitCommand, CommitResult>> step)
    {
        var outbox = new Outbox<TMessage, TRecord, CommitCommand, CommitResult>();
        step(_nodes[self], outbox);
        var waits = false;
        AppliedAfter = outbox.Executions.Length > 0 ? delay : AppliedAfter;
        foreach (var answered in outbox.Answers)
        {
            (Answer, AnsweredAfter) = (answered.Result, delay);
            waits |= answered.RecordsBefore > 0;
        }

        var own = new List<TMessage>();
        foreach (var sent in outbox.Messages)
        {
            waits |= sent.RecordsBefore > 0;
            if (sent.To == self)
            {
                own.Add(sent.Message);
                continue;
            }

            var kind = sent.Message.GetType().Name;
            Sent[kind] = Sent.GetValueOrDefault(kind) + 1;
            _network.Add((self, sent.To, sent.Message));
        }

        Forced += waits ? 1 : 0;

        // What a node says to itself takes no delay.
        foreach (var message in own)
        {
            Step(self, delay, (node, inner) => node.Receive(self, message, _still, inner));
        }
    }
}
