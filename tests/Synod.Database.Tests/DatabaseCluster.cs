using Google.Protobuf;
using Synod.Core;
using Synod.Simulation;

namespace Synod.Database.Tests;

/// <summary>Some nodes of the database in the simulator, asked directly, one request at a time: for scenarios told step by step.</summary>
internal sealed class DatabaseCluster : IAnswerReceiver<Api.Response>
{
    private readonly Dictionary<long, Api.Response> _answers = [];
    private long _asked;
    private ulong _clients = 100;

    public DatabaseCluster(
        ulong seed = 1, Func<DatabaseOptions, DatabaseOptions>? adapt = null, ClockConditions? clocks = null, int nodes = 3,
        MachineConditions? machine = null)
    {
        Nodes = [.. Enumerable.Range(1, nodes).Select(id => new NodeId(id))];
        Descriptors = [.. Nodes.Select(node => new NodeDescriptor(node, $"node-{node.Value}"))];
        World = new SimulatedWorld(seed);
        Network = new SimulatedNetwork(World);
        Cluster = new(World, Network, new ClusterOptions<NodeMessage, NodeRecord, Api.Request, Api.Response>
        {
            Nodes = Nodes,
            Create = start =>
            {
                var options = new DatabaseOptions
                {
                    Self = start.Self, Nodes = Descriptors, Incarnation = Incarnations.GetValueOrDefault(start.Self),
                };
                var node = new DatabaseNode(adapt?.Invoke(options) ?? options, start.Store);
                Protocols[start.Self] = node;
                return node;
            },
            Messages = new NodeMessageWire(),
            Records = new ReadingWire(RecordsRead),
            Machine = machine ?? new MachineConditions { SlowSyncPerMillion = 0 },
            Clocks = clocks ?? new ClockConditions(),
        });
        Cluster.Start();
        Run(() => Nodes.All(Cluster.IsUp));
    }

    public IReadOnlyList<NodeId> Nodes { get; }

    public IReadOnlyList<NodeDescriptor> Descriptors { get; }

    public Dictionary<NodeId, DatabaseNode> Protocols { get; } = [];

    /// <summary>Which nodes came back without their disk, and as what.</summary>
    public Dictionary<NodeId, ulong> Incarnations { get; } = [];

    /// <summary>What was read from logs, at any start of any node.</summary>
    public List<NodeRecord> RecordsRead { get; } = [];

    public SimulatedWorld World { get; }

    public SimulatedNetwork Network { get; }

    public SimulatedCluster<NodeMessage, NodeRecord, Api.Request, Api.Response> Cluster { get; }

    public void OnAnswer(NodeId node, long tag, Api.Response result) => _answers[tag] = result;

    /// <summary>Nobody will answer: for who asks, the node was unavailable.</summary>
    public void OnLost(NodeId node, long tag) =>
        _answers[tag] = new Api.Response { Unavailable = new Api.Unavailable { Reason = "The process died." } };

    /// <summary>A transaction id and age that nobody used; later ones are younger.</summary>
    public (Api.TransactionId Id, Api.Age Age) Begin()
    {
        var client = ++_clients;
        return (new Api.TransactionId { Client = client, Sequence = 1 }, new Api.Age { Start = (long)client, Client = client });
    }

    /// <summary>Sends without waiting; the tag finds the answer.</summary>
    public long Send(NodeId node, Api.Request request)
    {
        var tag = ++_asked;
        Assert.True(Cluster[node].Submit(request, this, tag));
        return tag;
    }

    public Api.Response? AnswerTo(long tag) => _answers.GetValueOrDefault(tag);

    public Api.Response Wait(long tag, int seconds = 20)
    {
        Run(() => _answers.ContainsKey(tag), seconds);
        return _answers[tag];
    }

    /// <summary>Lets the world go on until something holds; fails if it does not within so many simulated seconds.</summary>
    public void Run(Func<bool> until, int seconds = 20) =>
        Assert.True(World.RunUntil(until, World.Elapsed + Duration.FromSeconds(seconds)), "It did not come about in time.");

    public void Run(Duration time) => World.RunUntil(World.Elapsed + time);

    /// <summary>The range that serves a key, as a node knows it.</summary>
    public Api.Range RangeOf(string key)
    {
        var up = Nodes.First(Cluster.IsUp);
        var directory = Wait(Send(up, new Api.Request { Directory = new Api.DirectoryQuery() })).Directory;
        var bytes = Key.Of(key);
        return directory.Ranges.Where(range => new KeySpan(new Key(range.Start.Memory), new Key(range.End.Memory)).Contains(bytes))
            .MaxBy(range => range.Version)!;
    }

    /// <summary>Asks the leader of the key's range until somebody serves it.</summary>
    public Api.Response Ask(string key, Api.Request request)
    {
        for (var tries = 0; tries < 200; tries++)
        {
            var range = RangeOf(key);
            var node = Nodes.FirstOrDefault(node => node.Value == range.Leader);
            if (node != NodeId.None && Cluster.IsUp(node))
            {
                var copy = request.Clone();
                copy.Group = range.Group;
                var response = Wait(Send(node, copy));
                if (response.BodyCase is not (Api.Response.BodyOneofCase.NotLeader or Api.Response.BodyOneofCase.Unavailable
                    or Api.Response.BodyOneofCase.WrongRange))
                {
                    return response;
                }
            }

            Run(Duration.FromMilliseconds(50));
        }

        throw new InvalidOperationException($"Nobody serves {key}.");
    }

    public NodeId LeaderOf(string key)
    {
        Ask(key, Read(key));
        return new NodeId(RangeOf(key).Leader);
    }

    public void Split(string at, int preferred)
    {
        var response = Ask(at, new Api.Request { Split = new Api.Split { At = ByteString.CopyFromUtf8(at), PreferredLeader = preferred } });
        Assert.Equal(Api.Response.BodyOneofCase.Directory, response.BodyCase);
        Run(() => LeaderOf(at).Value == preferred);
    }

    public static Api.Request Read(string key, (Api.TransactionId Id, Api.Age Age)? transaction = null, long at = 0) => new()
    {
        Read = new Api.Read
        {
            Start = ByteString.CopyFromUtf8(key), Single = true, At = at, Transaction = transaction?.Id, Age = transaction?.Age,
        },
    };

    public static Api.Write Write(string key, string value) =>
        new() { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8(value) };

    /// <summary>A commit of these writes; parts are by range, the first coordinates.</summary>
    public Api.Request Commit(
        (Api.TransactionId Id, Api.Age Age) transaction, IReadOnlyList<(string Key, string? Value)> writes,
        IReadOnlyDictionary<string, Api.Term>? terms = null)
    {
        var commit = new Api.Commit { Transaction = transaction.Id, Age = transaction.Age };
        foreach (var (key, value) in writes)
        {
            var group = RangeOf(key).Group;
            var part = commit.Parts.FirstOrDefault(part => part.Group == group);
            if (part is null)
            {
                commit.Parts.Add(part = new Api.Part { Group = group });
            }

            part.Term ??= terms?.GetValueOrDefault(key);
            if (value is not null)
            {
                part.Writes.Add(Write(key, value));
            }
        }

        return new Api.Request { Group = commit.Parts[0].Group, Commit = commit };
    }

    public Api.CommitResult CommitNow(
        (Api.TransactionId Id, Api.Age Age) transaction, IReadOnlyList<(string Key, string? Value)> writes,
        IReadOnlyDictionary<string, Api.Term>? terms = null)
    {
        var response = Ask(writes[0].Key, Commit(transaction, writes, terms));
        return response.BodyCase == Api.Response.BodyOneofCase.Aborted
            ? new Api.CommitResult { Outcome = Api.CommitResult.Types.Outcome.Aborted, Reason = response.Aborted.Reason }
            : response.Commit;
    }

    public long Put(string key, string value)
    {
        var result = CommitNow(Begin(), [(key, value)]);
        Assert.Equal(Api.CommitResult.Types.Outcome.Committed, result.Outcome);
        return result.Timestamp;
    }

    public string? Get(string key, long at = 0) => Ask(key, Read(key, at: at)).Read.Items.SingleOrDefault()?.Value.ToStringUtf8();

    /// <summary>The node is started at once with an empty disk, as another incarnation: before anybody has missed it.</summary>
    public void Lose(int node)
    {
        var lost = new NodeId(node);
        Cluster[lost].Wipe();
        Incarnations[lost] = 77UL + (ulong)node;
        Cluster.StartAfter(lost, Duration.Zero);
        Run(() => Cluster.IsUp(lost));
    }

    /// <summary>What a node holds and has not seen retire.</summary>
    public Google.Protobuf.Collections.RepeatedField<Api.GroupStatus> Groups(int node) =>
        Wait(Send(new NodeId(node), new Api.Request { Status = new Api.StatusQuery() })).Status.Groups;

    /// <summary>Has a node lead the range of the key.</summary>
    public void Transfer(int to, string key = "k")
    {
        var transfer = new Api.Request { TransferLeadership = new Api.TransferLeadership { To = to } };
        Run(() => Ask(key, transfer).BodyCase == Api.Response.BodyOneofCase.Done && LeaderOf(key).Value == to, 60);
    }

    private sealed class ReadingWire(List<NodeRecord> read) : IWire<NodeRecord>
    {
        private readonly NodeRecordWire _wire = new();

        public void Write(CodecWriter writer, NodeRecord value) => _wire.Write(writer, value);

        public NodeRecord? Read(ref CodecReader reader)
        {
            var record = _wire.Read(ref reader);
            if (record is not null)
            {
                read.Add(record);
            }

            return record;
        }
    }
}
