using Synod.Api;
using Synod.Client.Routing;

namespace Synod.Client.Transactions;

/// <summary>
/// Keeps the locks of the client's open transactions alive while their delegates think. Runs only while there are some; a short
/// transaction ends before the first round and costs no message.
/// </summary>
internal sealed class KeepAliveLoop(Router router)
{
    private readonly Lock _gate = new();
    private readonly List<SynodTransaction> _open = [];
    private bool _running;

    public void Add(SynodTransaction transaction)
    {
        lock (_gate)
        {
            _open.Add(transaction);
            if (_running)
            {
                return;
            }

            _running = true;
        }

        _ = RunAsync();
    }

    public void Remove(SynodTransaction transaction)
    {
        lock (_gate)
        {
            _open.Remove(transaction);
        }
    }

    private async Task RunAsync()
    {
        while (true)
        {
            await Task.Delay(router.Options.KeepAliveInterval, router.Time);
            List<SynodTransaction> open;
            lock (_gate)
            {
                if (_open.Count == 0)
                {
                    _running = false;
                    return;
                }

                open = [.. _open];
            }

            foreach (var transaction in open)
            {
                foreach (var group in transaction.LockedGroups())
                {
                    _ = KeepAsync(transaction, group);
                }
            }
        }
    }

    private async Task KeepAsync(SynodTransaction transaction, ulong group)
    {
        if (router.Cache.Leader(group) is not { } leader)
        {
            return;
        }

        try
        {
            var request = new Request { Group = group, KeepAlive = new KeepAlive { Transaction = transaction.Id } };
            var response = await router.CallAsync(leader, request, CancellationToken.None);
            if (response.BodyCase == Response.BodyOneofCase.Aborted)
            {
                transaction.Lose(response.Aborted.Reason);
            }
        }
        catch (Exception failure) when (failure is DeliveryFailedException or SynodException)
        {
            // A locks' leader that is gone took the locks with it: the commit finds out by their term.
        }
    }
}
