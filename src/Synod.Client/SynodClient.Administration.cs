using Synod.Api;
using Synod.Client.Routing;

namespace Synod.Client;

/// <summary>Looking at a cluster and arranging it.</summary>
public sealed partial class SynodClient
{
    /// <summary>The ranges and nodes as one node knows them.</summary>
    /// <exception cref="SynodUnavailableException">No node answered in time.</exception>
    public async Task<Api.Directory> DirectoryAsync(CancellationToken cancellationToken = default)
    {
        var started = Options.TimeProvider.GetTimestamp();
        for (var tries = 0; ; tries++)
        {
            DeliveryFailedException? last = null;
            foreach (var address in KnownAddresses())
            {
                try
                {
                    var response = await _router.CallAsync(
                        address, new Request { Directory = new DirectoryQuery() }, cancellationToken);
                    Router.ThrowIfRefused(response);
                    if (response.BodyCase == Response.BodyOneofCase.Directory)
                    {
                        _router.Cache.Merge(response.Directory);
                        return response.Directory;
                    }
                }
                catch (DeliveryFailedException failure)
                {
                    last = failure;
                }
            }

            if (Options.TimeProvider.GetElapsedTime(started) >= Options.RequestTimeout)
            {
                throw Unreachable(last ?? new DeliveryFailedException("no node tells the directory", maybeDelivered: false));
            }

            await _router.PauseAsync(tries, cancellationToken);
        }
    }

    /// <summary>The status of the node at <paramref name="address"/>.</summary>
    /// <exception cref="SynodUnavailableException">It did not answer.</exception>
    public async Task<NodeStatus> StatusAsync(string address, CancellationToken cancellationToken = default)
    {
        try
        {
            var response = await _router.CallAsync(address, new Request { Status = new StatusQuery() }, cancellationToken);
            Router.ThrowIfRefused(response);
            return response.BodyCase == Response.BodyOneofCase.Status ? response.Status : throw Router.Unexpected(response);
        }
        catch (DeliveryFailedException failure)
        {
            throw Unreachable(failure);
        }
    }

    /// <summary>
    /// Cuts the range that serves <paramref name="key"/> in two, so that a new range starts there. Nothing happens if one does.
    /// </summary>
    /// <param name="key">The first key of the new range.</param>
    /// <param name="preferredLeader">The node that should lead the new range; 0 leaves it to the cluster.</param>
    /// <exception cref="SynodUnavailableException">No node served it in time; it may still happen.</exception>
    public async Task SplitAsync(
        ReadOnlyMemory<byte> key, int preferredLeader = 0, CancellationToken cancellationToken = default)
    {
        var at = Limits.Key(key);
        while (true)
        {
            var range = await _router.LocateAsync(at, cancellationToken);
            if (range.Start.Equals(at))
            {
                return;
            }

            var request = new Request { Group = range.Group, Split = new Split { At = at, PreferredLeader = preferredLeader } };
            var response = await _router.ToLeaderAsync(request, new Delivery(), Options.RequestTimeout, cancellationToken);
            Router.ThrowIfRefused(response);
            switch (response.BodyCase)
            {
                case Response.BodyOneofCase.Directory:
                    _router.Cache.Merge(response.Directory);
                    return;
                case Response.BodyOneofCase.Done:
                    // It was cut there before this client heard of it.
                    await _router.RefreshAsync(cancellationToken);
                    return;
                case not Response.BodyOneofCase.WrongRange:
                    throw Router.Unexpected(response);
            }

            await _router.SettleRangesAsync(range, cancellationToken);
        }
    }

    /// <summary>Asks the leader of <paramref name="group"/> to hand over to node <paramref name="to"/>.</summary>
    /// <exception cref="SynodUnavailableException">No leader was found in time.</exception>
    /// <exception cref="SynodRefusedException">There is no such group, or the node is no replica of it.</exception>
    public async Task TransferLeadershipAsync(ulong group, int to, CancellationToken cancellationToken = default)
    {
        if (_router.Cache.Find(group) is null && await _router.RefreshAsync(cancellationToken) && _router.Cache.Find(group) is null)
        {
            throw Unknown(group);
        }

        var request = new Request { Group = group, TransferLeadership = new TransferLeadership { To = to } };
        var response = await _router.ToLeaderAsync(request, new Delivery(), Options.RequestTimeout, cancellationToken);
        Router.ThrowIfRefused(response);
        switch (response.BodyCase)
        {
            case Response.BodyOneofCase.WrongRange:
                throw Unknown(group);
            case not Response.BodyOneofCase.Done:
                throw Router.Unexpected(response);
        }
    }

    private static SynodRefusedException Unknown(ulong group) => new(
        $"No range has group {group}, as far as the node that was asked knows. It never had, or others have taken its keys over: list the ranges.");

    private List<string> KnownAddresses()
    {
        var addresses = _router.Cache.Addresses();
        addresses.AddRange(Options.Endpoints.Where(endpoint => !addresses.Contains(endpoint)));
        return addresses;
    }

    private static SynodUnavailableException Unreachable(DeliveryFailedException failure) => new(
        $"{failure.Message}. Check that the node runs and that the address is where it listens for clients.", failure);
}
