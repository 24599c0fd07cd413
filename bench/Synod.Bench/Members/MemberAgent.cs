using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Synod.Core;
using Synod.Node;
using Synod.Node.Storage;
using Synod.Protocols.Gossip;

namespace Synod.Bench.Members;

/// <summary>
/// Members of Synod in one process, told by lines on standard input what to do and what to measure: the same lines as
/// <c>bench/memberlist/main.go</c> understands, which says what they mean.
/// </summary>
internal sealed class MemberAgent(int firstPort, EndPoint? join, string key, MembershipOptions options, string folder) : IAsyncDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);

    private readonly List<Seat> _members = [];
    private readonly ConcurrentDictionary<int, bool> _killed = new();
    private readonly long[] _falses = new long[3];

    public async Task RunAsync(int count, TextReader input, TextWriter output)
    {
        for (var member = 0; member < count; member++)
        {
            await AddAsync();
        }

        await output.WriteLineAsync("ready");
        while (await input.ReadLineAsync() is { } line)
        {
            await output.WriteLineAsync(await ObeyAsync(line.Split(' ')));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var member in _members)
        {
            await member.DisposeAsync();
        }
    }

    private async Task<string> ObeyAsync(string[] words)
    {
        var began = Stopwatch.GetTimestamp();
        var seen = _members[0].Alive;
        switch (words[0])
        {
            case "add":
                await AddAsync();
                return await AwaitAsync(seen + 1, began);
            case "kill":
                var last = _members[^1];
                _members.RemoveAt(_members.Count - 1);
                _killed[last.Port] = true;
                await last.DisposeAsync();
                return await AwaitAsync(seen - 1, began);
            case "await":
                return await AwaitAsync(int.Parse(words[1], CultureInfo.InvariantCulture), began);
            case "traffic":
                var (packets, bytes) = Traffic();
                await Task.Delay(TimeSpan.FromSeconds(double.Parse(words[1], CultureInfo.InvariantCulture)));
                var (morePackets, moreBytes) = Traffic();
                return string.Create(CultureInfo.InvariantCulture, $"{morePackets - packets} {moreBytes - bytes}");
            case "falses":
                return string.Join(' ', Enumerable.Range(0, _falses.Length).Select(kind => Interlocked.Exchange(ref _falses[kind], 0)));
            default:
                throw new ArgumentException($"'{words[0]}' means nothing here.");
        }
    }

    private async Task AddAsync()
    {
        var contact = join ?? (_members.Count > 0 ? new IPEndPoint(IPAddress.Loopback, firstPort) : null);
        var seat = new Seat(firstPort + _members.Count, key, options, Path.Combine(folder, $"{firstPort + _members.Count}"), Note);
        _members.Add(seat);
        await seat.Host.StartAsync();
        _ = await seat.Host.JoinAsync(contact is null ? [] : [contact], CancellationToken.None);
    }

    private async Task<string> AwaitAsync(int count, long began)
    {
        while (Stopwatch.GetElapsedTime(began) < Longest)
        {
            if (_members.TrueForAll(member => member.Alive == count))
            {
                return Stopwatch.GetElapsedTime(began).TotalMilliseconds.ToString("F1", CultureInfo.InvariantCulture);
            }

            await Task.Delay(2);
        }

        return "-1";
    }

    private (long Packets, long Bytes) Traffic() => (
        _members.Sum(member => member.Host.Metrics.PacketsSent),
        _members.Sum(member => member.Host.Metrics.PacketBytesSent + member.Host.Metrics.StreamBytesSent));

    private void Note(Member news)
    {
        if (_killed.ContainsKey(news.Id.Value) || news.Status is MemberStatus.Alive or MemberStatus.Left)
        {
            return;
        }

        var isHere = news.Id.Value >= firstPort && news.Id.Value < firstPort + 1_000;
        _ = Interlocked.Increment(ref _falses[news.Status == MemberStatus.Suspect ? 0 : isHere ? 1 : 2]);
    }

    /// <summary>A member, and how many it sees alive, itself included.</summary>
    private sealed class Seat : IAsyncDisposable
    {
        private readonly HashSet<NodeId> _live;
        private readonly FileDisk _disk;
        private volatile int _alive = 1;

        public Seat(int port, string key, MembershipOptions options, string folder, Action<Member> note)
        {
            Port = port;
            _live = [new NodeId(port)];
            _disk = new FileDisk(folder);
            Host = new MemberHost(
                new MemberHostOptions
                {
                    Cluster = "bench",
                    Id = new NodeId(port),
                    Keys = new ClusterKeys(key),
                    Disk = _disk,
                    Listen = new IPEndPoint(IPAddress.Loopback, port),
                    Membership = options,
                    Changed = news =>
                    {
                        _ = news.IsLive ? _live.Add(news.Id) : _live.Remove(news.Id);
                        _alive = _live.Count;
                        note(news);
                    },
                },
                NullLogger.Instance);
        }

        public int Port { get; }

        public int Alive => _alive;

        public MemberHost Host { get; }

        public async ValueTask DisposeAsync()
        {
            await Host.DisposeAsync();
            _disk.Dispose();
        }
    }
}
