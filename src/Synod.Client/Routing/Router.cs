using Google.Protobuf;
using Synod.Api;

namespace Synod.Client.Routing;

/// <summary>
/// What is known of one request over all its tries. A request whose response was lost may have been acted on, and later
/// refusals by other nodes do not change that.
/// </summary>
internal sealed class Delivery
{
    /// <summary>Whether some node may have acted on the request without our hearing of it.</summary>
    public bool MaybeDone { get; set; }
}

/// <summary>Finds the node that serves a request: caches the directory, follows leaders, goes round unreachable nodes.</summary>
internal sealed class Router(IClientTransport transport, SynodClientOptions options, Chance chance)
{
    private readonly Lock _gate = new();
    private Task<bool>? _refresh;
    private volatile DeliveryFailedException? _unreached;

    public RangeCache Cache { get; } = new();

    public Chance Chance => chance;

    public SynodClientOptions Options => options;

    public TimeProvider Time => options.TimeProvider;

    /// <summary>The range that serves <paramref name="key"/>; asks the directory until it knows one.</summary>
    /// <exception cref="SynodUnavailableException">No node tells within the request timeout.</exception>
    public async ValueTask<KnownRange> LocateAsync(ByteString key, CancellationToken cancellationToken)
    {
        if (Cache.Find(key) is { } known)
        {
            return known;
        }

        var started = Time.GetTimestamp();
        for (var tries = 0; ; tries++)
        {
            await RefreshAsync(cancellationToken);
            if (Cache.Find(key) is { } found)
            {
                return found;
            }

            ThrowIfLate(started, _unreached?.Message ?? "no node that the client reaches knows which range serves the key", _unreached);
            await PauseAsync(tries, cancellationToken);
        }
    }

    /// <summary>
    /// Sends to the leader of <see cref="Request.Group"/> and returns the first response that is neither a redirection nor a
    /// temporary failure; it may be a refusal. A <c>WrongRange</c> is merged into the cache before it is returned.
    /// </summary>
    /// <exception cref="SynodUnavailableException">Nobody served it within <paramref name="limit"/>.</exception>
    public async ValueTask<Response> ToLeaderAsync(
        Request request, Delivery delivery, TimeSpan limit, CancellationToken cancellationToken)
    {
        var search = new LeaderSearch(request.Group, Time.GetTimestamp());
        while (true)
        {
            var address = await NextAddressAsync(search, cancellationToken);
            if (address is not null)
            {
                search.Redirected = false;
                search.Asked = address;
                try
                {
                    var response = await CallAsync(address, search.Tries++ == 0 ? request : request.Clone(), cancellationToken);
                    delivery.MaybeDone |= response is { BodyCase: Response.BodyOneofCase.None };
                    if (Settles(response, search))
                    {
                        return response;
                    }
                }
                catch (DeliveryFailedException failure)
                {
                    delivery.MaybeDone |= failure.MaybeDelivered;
                    search.Reason = failure.Message;
                    search.Cause = failure;
                    if (request.BodyCase == Request.BodyOneofCase.Read && request.Read.Transaction is not null)
                    {
                        await ProbeAsync(address, search, cancellationToken);
                    }
                }
                catch (OperationCanceledException)
                {
                    delivery.MaybeDone = true;
                    throw;
                }
            }

            if (search.Redirected)
            {
                continue;
            }

            ThrowIfLate(search.Started, search.Reason, search.Cause, limit);
            await PauseAsync(search.Failures++, cancellationToken);
        }
    }

    /// <summary>One call with the call timeout; a timeout counts as a delivery that failed.</summary>
    public async ValueTask<Response> CallAsync(string address, Request request, CancellationToken cancellationToken)
    {
        var size = request.BodyCase == Request.BodyOneofCase.Commit ? request.CalculateSize() : 0;
        var limit = options.CallTimeout + TimeSpan.FromSeconds(size / (4.0 * 1024 * 1024));
        using var timeout = new CancellationTokenSource(limit, Time);
        using var registration = cancellationToken.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), timeout);
        try
        {
            return await transport.CallAsync(address, request, timeout.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new DeliveryFailedException($"{address} did not answer within {limit.TotalSeconds:0.#} s", maybeDelivered: true);
        }
    }

    /// <summary>Asks the nodes, one after the other, for the directory; false if none answered. Concurrent callers share one.</summary>
    public async Task<bool> RefreshAsync(CancellationToken cancellationToken)
    {
        Task<bool> refresh;
        lock (_gate)
        {
            refresh = _refresh is { IsCompleted: false } running ? running : _refresh = AskForDirectoryAsync();
        }

        return await refresh.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// After a <c>WrongRange</c>: asks the directory if the answering node knew no better than the cache, which would otherwise
    /// send to the same group for ever.
    /// </summary>
    public async ValueTask SettleRangesAsync(KnownRange asked, CancellationToken cancellationToken)
    {
        if (Cache.Find(asked.Group) is not { } known || known.Version == asked.Version)
        {
            await RefreshAsync(cancellationToken);
            await PauseAsync(2, cancellationToken);
        }
    }

    /// <summary>Waits before try number <paramref name="tries"/>, longer each time and never exactly as long.</summary>
    public Task PauseAsync(int tries, CancellationToken cancellationToken) =>
        Task.Delay(chance.Backoff(options, tries), Time, cancellationToken);

    private async Task<bool> AskForDirectoryAsync()
    {
        var addresses = Cache.Addresses();
        addresses.AddRange(options.Endpoints.Where(endpoint => !addresses.Contains(endpoint)));
        var first = chance.Below(addresses.Count);
        for (var i = 0; i < addresses.Count; i++)
        {
            try
            {
                var request = new Request { Directory = new DirectoryQuery() };
                var response = await CallAsync(addresses[(first + i) % addresses.Count], request, CancellationToken.None);
                if (response.BodyCase == Response.BodyOneofCase.Directory)
                {
                    Cache.Merge(response.Directory);
                    _unreached = null;
                    return true;
                }

                ThrowIfRefused(response);
            }
            catch (DeliveryFailedException failure)
            {
                // The next node may know as well; the caller pauses and asks again if none does, and says why in the end.
                _unreached = failure;
            }
        }

        return false;
    }

    /// <summary>The leader if one is known; after failures the other replicas in turn; null if nothing is known of the group.</summary>
    private async ValueTask<string?> NextAddressAsync(LeaderSearch search, CancellationToken cancellationToken)
    {
        if (search.Address is { } redirected)
        {
            search.Address = null;
            return redirected;
        }

        if (search.Failures > 0 && search.Failures % 4 == 0)
        {
            await RefreshAsync(cancellationToken);
        }

        var candidates = Cache.Candidates(search.Group);
        if (candidates.Count == 0)
        {
            await RefreshAsync(cancellationToken);
            candidates = Cache.Candidates(search.Group);
        }

        search.Reason = candidates.Count > 0 ? search.Reason
            : _unreached?.Message ?? $"no node that the client reaches knows group {search.Group}";
        return candidates.Count == 0 ? null : candidates[search.Next++ % candidates.Count];
    }

    /// <summary>
    /// A locking read may wait long for an older transaction, and transactions have no limit on their duration. A node that still
    /// answers is asked again without the clock running out.
    /// </summary>
    private async ValueTask ProbeAsync(string address, LeaderSearch search, CancellationToken cancellationToken)
    {
        try
        {
            var response = await CallAsync(address, new Request { Directory = new DirectoryQuery() }, cancellationToken);
            if (response.BodyCase == Response.BodyOneofCase.Directory)
            {
                Cache.Merge(response.Directory);
                search.Started = Time.GetTimestamp();
                search.Next = 0;
            }
        }
        catch (DeliveryFailedException failure)
        {
            search.Reason = failure.Message;
        }
    }

    /// <summary>Whether the response is final; otherwise notes where to go next.</summary>
    private bool Settles(Response response, LeaderSearch search)
    {
        switch (response.BodyCase)
        {
            case Response.BodyOneofCase.NotLeader:
                var hint = response.NotLeader;
                search.Reason = hint.Leader == 0 ? $"group {search.Group} has no leader" : $"group {search.Group} changes its leader";
                Cache.Lead(search.Group, hint.Leader, hint.Address);
                var leader = Cache.Leader(search.Group);

                // A few redirections in a row are followed at once; two nodes that point at each other are not.
                if (leader is not null && leader != search.Asked && search.Redirections++ % 3 < 2)
                {
                    search.Address = leader;
                    search.Redirected = true;
                }

                return false;
            case Response.BodyOneofCase.Unavailable:
                search.Reason = response.Unavailable.Reason;
                return false;
            case Response.BodyOneofCase.WrongRange:
                Cache.Merge(response.WrongRange);
                return true;
            case Response.BodyOneofCase.None:
                search.Reason = $"{search.Asked} gave an answer that this client does not understand";
                return false;
            default:
                Cache.Confirm(search.Group, search.Asked);
                return true;
        }
    }

    private void ThrowIfLate(long started, string reason, Exception? cause, TimeSpan? limit = null)
    {
        if (Time.GetElapsedTime(started) >= (limit ?? options.RequestTimeout))
        {
            throw new SynodUnavailableException(
                $"No node served the request within {(limit ?? options.RequestTimeout).TotalSeconds:0.#} s: {reason}. "
                + "Nothing was lost; check that a majority of the nodes runs and is reachable, then try again.",
                cause);
        }
    }

    internal static SynodUnavailableException Unexpected(Response response) => new(
        $"A node answered with '{response.BodyCase}', which does not fit the question. Its version may not match this client's.");

    internal static void ThrowIfRefused(Response response)
    {
        if (response.BodyCase == Response.BodyOneofCase.Refused)
        {
            throw new SynodRefusedException(response.Refused.Reason);
        }
    }

    /// <summary>The state of one search for a leader.</summary>
    private sealed class LeaderSearch(ulong group, long started)
    {
        public ulong Group { get; } = group;

        public long Started { get; set; } = started;

        public int Next { get; set; }

        public int Tries { get; set; }

        public int Failures { get; set; }

        public int Redirections { get; set; }

        public bool Redirected { get; set; }

        public string? Address { get; set; }

        public string Asked { get; set; } = "";

        public string Reason { get; set; } = "no node was asked";

        public Exception? Cause { get; set; }
    }
}
