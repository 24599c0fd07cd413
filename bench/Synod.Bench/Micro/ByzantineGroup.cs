using System.Buffers.Binary;
using Synod.Core;
using Synod.Node;
using Synod.Protocols.Byzantine;

namespace Synod.Bench.Micro;

/// <summary>
/// Four replicas of a Byzantine protocol on one thread: messages are handed over at once, records are durable at once, and no timer
/// comes due. Clients sign beforehand.
/// </summary>
internal abstract class ByzantineGroup<TMessage, TRecord, TCommand, TResult>
{
    protected const int Members = 4;
    private const int FirstClient = 101;
    private const int OperationBytes = 8;

    private readonly List<(Protocol<TMessage, TRecord, TCommand, TResult> Machine, Outbox<TMessage, TRecord, TCommand, TResult> Outbox)> _replicas = [];
    private readonly Queue<(NodeId From, NodeId To, TMessage Message)> _messages = new();
    private readonly Still _still = new();
    private readonly Func<NodeId, ISigner> _signers;
    private readonly Dictionary<NodeId, ISigner> _clients = [];
    private Queue<TCommand> _signed = new();
    private long _number;

    protected ByzantineGroup(bool isReal, int batch)
    {
        (Batch, _signers) = (batch, isReal ? RealSigners(batch) : new SignatureTable().SignerOf);
        for (var client = 0; client < batch; client++)
        {
            _clients.Add(new NodeId(FirstClient + client), _signers(new NodeId(FirstClient + client)));
        }
    }

    /// <summary>Signatures that the replicas checked.</summary>
    public long Verified { get; private set; }

    /// <summary>Commands that the first replica executed.</summary>
    public long Executed { get; private set; }

    protected static NodeSet Nodes { get; } = NodeSet.Of([.. Enumerable.Range(1, Members).Select(id => new NodeId(id))]);

    protected int Batch { get; }

    /// <summary>Signs <paramref name="count"/> commands, which is the clients' work and not measured.</summary>
    public void Prepare(int count)
    {
        _signed = new Queue<TCommand>(count);
        while (_signed.Count < count)
        {
            _number++;
            foreach (var (client, signer) in _clients)
            {
                var operation = new byte[OperationBytes];
                BinaryPrimitives.WriteInt64LittleEndian(operation, _number);
                _signed.Enqueue(Sign(client, _number, operation, signer));
            }
        }
    }

    /// <summary>Executes what was signed: a batch is handed in while the one before is agreed on.</summary>
    public void Run()
    {
        while (_signed.Count > 0)
        {
            for (var number = 0; number < Batch; number++)
            {
                Submit(_signed.Dequeue());
            }

            var before = Executed;
            while (Executed == before && Step())
            {
            }
        }

        while (Step())
        {
        }
    }

    protected abstract TCommand Sign(NodeId client, long number, byte[] operation, ISigner signer);

    protected abstract void Submit(TCommand command);

    protected abstract int CountOf(TCommand executed);

    protected ISigner SignerOf(NodeId node) => new Counting(_signers(node), () => Verified++);

    protected void Add(Protocol<TMessage, TRecord, TCommand, TResult> machine)
    {
        _replicas.Add((machine, new()));
        machine.Recover([], _still, _replicas[^1].Outbox);
        Carry(_replicas.Count - 1);
    }

    protected void Submit(int replica, TCommand command)
    {
        var (machine, outbox) = _replicas[replica];
        machine.Submit(new RequestId(1), command, _still, outbox);
        Carry(replica);
    }

    private bool Step()
    {
        if (!_messages.TryDequeue(out var next))
        {
            return false;
        }

        var (machine, outbox) = _replicas[next.To.Value - 1];
        machine.Receive(next.From, next.Message, _still, outbox);
        Carry(next.To.Value - 1);
        return true;
    }

    private void Carry(int replica)
    {
        var outbox = _replicas[replica].Outbox;
        foreach (var (to, message, _) in outbox.Messages)
        {
            if (Nodes.Contains(to))
            {
                _messages.Enqueue((new NodeId(replica + 1), to, message));
            }
        }

        foreach (var (_, command) in outbox.Executions)
        {
            Executed += replica == 0 ? CountOf(command) : 0;
        }

        outbox.Clear();
    }

    private static Func<NodeId, ISigner> RealSigners(int clients)
    {
        var names = Nodes.Concat(Enumerable.Range(FirstClient, clients).Select(id => new NodeId(id)));
        var keys = names.ToDictionary(node => node, node => Ed25519Signer.PublicKeyOf(PrivateKey(node)));
        return node => new Ed25519Signer(node, PrivateKey(node), keys);
    }

    private static byte[] PrivateKey(NodeId node)
    {
        var key = new byte[Ed25519Signer.PrivateKeySize];
        BinaryPrimitives.WriteInt32LittleEndian(key, node.Value);
        return key;
    }

    private sealed class Counting(ISigner signer, Action verified) : ISigner
    {
        public NodeId Self => signer.Self;

        public Signature Sign(ReadOnlySpan<byte> statement) => signer.Sign(statement);

        public bool Verify(NodeId by, ReadOnlySpan<byte> statement, Signature signature)
        {
            verified();
            return signer.Verify(by, statement, signature);
        }
    }

    private sealed class Still : StepContext
    {
        public Still() => TrueTime = new TimeInterval(new Timestamp(1), new Timestamp(1), ClockStatus.Synchronized);

        public override int Choose(int count) => 0;
    }
}

/// <summary>PBFT: clients turn to the primary.</summary>
internal sealed class PbftInMemory : ByzantineGroup<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>
{
    private readonly PbftGroup _group = new([.. Nodes], "bench", 1);

    public PbftInMemory(bool isReal, int batch)
        : base(isReal, batch)
    {
        var options = new PbftOptions { MaxBatch = batch, Pipeline = 1 };
        var table = new SignatureTable();
        foreach (var node in Nodes)
        {
            Add(new Pbft(node, _group, options, SignerOf(node), table.MacsOf(node), new Nothing()));
        }
    }

    protected override Pbft.Command Sign(NodeId client, long number, byte[] operation, ISigner signer) =>
        new Pbft.Command.Order(Pbft.SignedRequest.Sign(_group.Domain, client, number, operation, signer));

    protected override void Submit(Pbft.Command command) => Submit(0, command);

    protected override int CountOf(Pbft.Command executed) => ((Pbft.Command.Apply)executed).Batch.Requests.Length;

    /// <summary>A service without a state.</summary>
    private sealed class Nothing : IReplicatedService
    {
        public ReadOnlyMemory<byte> Execute(NodeId client, ReadOnlyMemory<byte> operation) => operation;

        public ReadOnlyMemory<byte> Read(NodeId client, ReadOnlyMemory<byte> operation) => operation;

        public void Save(CodecWriter writer)
        {
        }

        public void Load(ReadOnlyMemory<byte> state)
        {
        }
    }
}

/// <summary>HotStuff: clients turn to everyone, leaders rotate with each view.</summary>
internal sealed class HotStuffInMemory : ByzantineGroup<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>
{
    private readonly Statements _statements;

    public HotStuffInMemory(IHotStuffRules rules, bool isReal, int batch)
        : base(isReal, batch)
    {
        var options = new HotStuffOptions { Members = Nodes, Rules = rules, Leaders = new Rotation(Nodes), MaxCommands = batch };
        _statements = new Statements(options.Domain);
        foreach (var node in Nodes)
        {
            var signer = SignerOf(node);
            Add(new HotStuff(node, options, signer, new SignatureVectors(signer, Nodes, options.Quorum)));
        }
    }

    protected override HotStuff.Command Sign(NodeId client, long number, byte[] operation, ISigner signer) =>
        new(client, number, operation, signer.Sign(_statements.Command(client, number, operation)));

    protected override void Submit(HotStuff.Command command)
    {
        for (var replica = 0; replica < Members; replica++)
        {
            Submit(replica, command);
        }
    }

    protected override int CountOf(HotStuff.Command executed) => 1;
}
