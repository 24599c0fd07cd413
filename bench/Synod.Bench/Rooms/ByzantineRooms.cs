using System.Buffers.Binary;
using Synod.Core;
using Synod.Node;
using Synod.Protocols.Byzantine;

namespace Synod.Bench.Rooms;

/// <summary>Four replicas of a Byzantine protocol. Clients sign beforehand; no timer comes due.</summary>
internal abstract class ByzantineRoom<TMessage, TRecord, TCommand, TResult> : MemoryRoom<TMessage, TRecord, TCommand, TResult>
{
    protected const int Members = 4;
    private const int FirstClient = 101;
    private const int OperationBytes = 8;

    private readonly Func<NodeId, ISigner> _signers;
    private readonly Dictionary<NodeId, ISigner> _clients = [];
    private readonly int _batch;
    private Queue<TCommand> _signed = new();
    private long _number;

    protected ByzantineRoom(bool isReal, int batch)
    {
        (_batch, _signers) = (batch, isReal ? RealSigners(batch) : new IdealSignatures().SignerOf);
        for (var client = 0; client < batch; client++)
        {
            _clients.Add(new NodeId(FirstClient + client), _signers(new NodeId(FirstClient + client)));
        }
    }

    /// <summary>Signatures that the replicas checked.</summary>
    public long Verified { get; private set; }

    /// <summary>Commands that the first replica executed.</summary>
    public long Executed { get; private set; }

    /// <summary>Signs <paramref name="count"/> commands, which is the clients' work.</summary>
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
            for (var number = 0; number < _batch; number++)
            {
                SubmitSigned(_signed.Dequeue());
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

    protected abstract void SubmitSigned(TCommand command);

    protected abstract int CountOf(TCommand executed);

    protected ISigner SignerOf(NodeId node) => new Counting(_signers(node), () => Verified++);

    protected override void OnExecuted(int node, Slot position, TCommand command) => Executed += node == 1 ? CountOf(command) : 0;

    private static Func<NodeId, ISigner> RealSigners(int clients)
    {
        var names = Nodes(Members).Concat(Enumerable.Range(FirstClient, clients).Select(id => new NodeId(id)));
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
}

/// <summary>PBFT: clients turn to the primary.</summary>
internal sealed class PbftRoom : ByzantineRoom<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>
{
    private readonly PbftGroup _group = new([.. Nodes(Members)], "bench", 1);

    public PbftRoom(bool isReal, int batch)
        : base(isReal, batch)
    {
        var options = new PbftOptions { MaxBatch = batch, Pipeline = 1 };
        var keys = new IdealSignatures();
        foreach (var node in Nodes(Members))
        {
            Add(new Pbft(node, _group, options, SignerOf(node), keys.MacsOf(node), new Nothing()));
        }
    }

    protected override Pbft.Command Sign(NodeId client, long number, byte[] operation, ISigner signer) =>
        new Pbft.Command.Order(Pbft.SignedRequest.Sign(_group.Domain, client, number, operation, signer));

    protected override void SubmitSigned(Pbft.Command command) => Submit(1, command);

    protected override int CountOf(Pbft.Command executed) => ((Pbft.Command.Apply)executed).Batch.Requests.Length;
}

/// <summary>HotStuff: clients turn to everyone, leaders rotate with each view.</summary>
internal sealed class HotStuffRoom : ByzantineRoom<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>
{
    private readonly Statements _statements;

    public HotStuffRoom(IHotStuffRules rules, bool isReal, int batch)
        : base(isReal, batch)
    {
        var options = new HotStuffOptions { Members = Nodes(Members), Rules = rules, Leaders = new Rotation(Nodes(Members)), MaxCommands = batch };
        _statements = new Statements(options.Domain);
        foreach (var node in Nodes(Members))
        {
            var signer = SignerOf(node);
            Add(new HotStuff(node, options, signer, new SignatureVectors(signer, options.Members, options.Quorum), new Nothing()));
        }
    }

    protected override HotStuff.Command Sign(NodeId client, long number, byte[] operation, ISigner signer) =>
        new(client, number, operation, signer.Sign(_statements.Command(client, number, operation)));

    protected override void SubmitSigned(HotStuff.Command command)
    {
        for (var node = 1; node <= Members; node++)
        {
            Submit(node, command);
        }
    }

    protected override int CountOf(HotStuff.Command executed) => 1;
}

/// <summary>A service without a state.</summary>
internal sealed class Nothing : IReplicatedService
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
