using Google.Protobuf;
using Synod.Api;

namespace Synod.Client.Routing;

internal static class RouterReads
{
    /// <summary>
    /// Sends a read without locks to the range that serves <paramref name="key"/>, again when ranges moved. With
    /// <paramref name="stop"/> it is a scan, cut off at the end of that range, which is returned.
    /// </summary>
    /// <exception cref="SynodUnavailableException">No node served it in time.</exception>
    public static async ValueTask<(ReadResult Result, KnownRange Range)> ReadAsync(
        this Router router, ByteString key, Read read, CancellationToken cancellationToken, ByteString? stop = null)
    {
        while (true)
        {
            var range = await router.LocateAsync(key, cancellationToken);
            var request = new Request { Group = range.Group, Read = read.Clone() };
            if (stop is not null)
            {
                request.Read.End = ByteOrder.LowerEnd(stop, range.End);
            }

            var response = await router.ToLeaderAsync(
                request, new Delivery(), router.Options.RequestTimeout, cancellationToken);
            switch (response.BodyCase)
            {
                case Response.BodyOneofCase.Read:
                    return (response.Read, range);
                case Response.BodyOneofCase.WrongRange:
                    await router.SettleRangesAsync(range, cancellationToken);
                    break;
                default:
                    Router.ThrowIfRefused(response);
                    throw Router.Unexpected(response);
            }
        }
    }
}
