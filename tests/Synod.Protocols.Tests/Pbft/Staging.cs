using Synod.Core;
using Synod.Lab.Worlds;

namespace Synod.Protocols.Tests.Pbft;

using Play = Stage<PbftReplica.Message, PbftReplica.Record, PbftReplica.Command, PbftReplica.Result>;

/// <summary>A group on a stage, with the clients that have a part in the play.</summary>
internal static class Staging
{
    public static Play Stage(this Quartet group, params NodeId[] clients) => new Play(
        group.Make, timer => ((PbftReplica.Timer)timer.Kind).ToString(), [.. group.Group.Replicas, .. clients]).Begin();
}
