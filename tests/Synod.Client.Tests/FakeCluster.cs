using System.Text;
using Google.Protobuf;
using Synod.Api;

namespace Synod.Client.Tests;

/// <summary>A cluster made of one function per test, and a list of what it was asked.</summary>
internal sealed class FakeCluster : IClientTransport
{
    private readonly Lock _gate = new();
    private readonly List<(string Address, Request Request)> _asked = [];

    public Api.Directory Directory { get; set; } = new()
    {
        Nodes = { Node(1), Node(2), Node(3) },
        Ranges = { Range(1, "", "m", 1, leader: 1), Range(2, "m", "", 1, leader: 2) },
    };

    /// <summary>Answers everything but directory queries, keep-alives and rollbacks.</summary>
    public Func<string, Request, CancellationToken, ValueTask<Response>> Answer { get; set; } =
        (_, _, _) => throw new InvalidOperationException("The test expects no request.");

    /// <summary>Answers keep-alives and rollbacks.</summary>
    public Func<string, Request, Response> AnswerAside { get; set; } = (_, _) => new Response { Done = new Done() };

    public List<(string Address, Request Request)> Asked(Request.BodyOneofCase kind)
    {
        lock (_gate)
        {
            return [.. _asked.Where(item => item.Request.BodyCase == kind)];
        }
    }

    public List<Commit> Commits => [.. Asked(Request.BodyOneofCase.Commit).Select(item => item.Request.Commit)];

    public async ValueTask<Response> CallAsync(string address, Request request, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _asked.Add((address, request.Clone()));
        }

        return request.BodyCase switch
        {
            Request.BodyOneofCase.Directory => new Response { Directory = Directory.Clone() },
            Request.BodyOneofCase.KeepAlive or Request.BodyOneofCase.Rollback => AnswerAside(address, request),
            _ => await Answer(address, request, cancellationToken),
        };
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public SynodClient Client(Func<SynodClientOptions, SynodClientOptions>? change = null)
    {
        var options = new SynodClientOptions
        {
            Endpoints = ["a1:1"],
            Seed = 7,
            MinBackoff = TimeSpan.FromTicks(1),
            MaxBackoff = TimeSpan.FromTicks(2),
        };
        return new SynodClient(change is null ? options : change(options), this);
    }

    public static string Address(int node) => $"a{node}:1";

    public static Node Node(int id) => new() { Id = id, Address = Address(id), Alive = true };

    public static Api.Range Range(ulong group, string start, string end, ulong version, int leader) => new()
    {
        Group = group,
        Start = Bytes(start),
        End = Bytes(end),
        Version = version,
        Replicas = { 1, 2, 3 },
        PreferredLeader = leader,
        Leader = leader,
    };

    public static ByteString Bytes(string text) => ByteString.CopyFrom(text, Encoding.UTF8);

    public static KeyValue Item(string key, string value = "v", long timestamp = 5) =>
        new() { Key = Bytes(key), Value = Bytes(value), Timestamp = timestamp };

    public static Response Items(long term, params string[] keys) => new()
    {
        Read = new ReadResult { Items = { keys.Select(key => Item(key)) }, Term = term == 0 ? null : new Term { Round = term, Node = 1 } },
    };

    public static Response Committed(long timestamp = 9) => new()
    {
        Commit = new CommitResult { Outcome = CommitResult.Types.Outcome.Committed, Timestamp = timestamp },
    };

    public static Response Outcome(CommitResult.Types.Outcome outcome) => new() { Commit = new CommitResult { Outcome = outcome, Reason = "r" } };

    public static Response Aborted() => new() { Aborted = new Aborted { Reason = "wounded" } };

    public static Response NotLeader(int leader) =>
        new() { NotLeader = new NotLeader { Leader = leader, Address = leader == 0 ? "" : Address(leader) } };

    public static DeliveryFailedException Lost => new("lost", maybeDelivered: true);

    public static DeliveryFailedException Unreachable => new("refused", maybeDelivered: false);
}
