using System.Collections.Immutable;
using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;

namespace Synod.Protocols.Tests.HotStuffRoom;

using Play = Stage<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>;

/// <summary>A group on a stage, and what its members may say to each other.</summary>
internal static class Staging
{
    public static Play Stage(this HotStuffGroup group) =>
        new Play(group.Make, timer => ((HotStuff.Timer)timer.Kind).ToString(), [.. group.Options.Members]).Begin();

    public static HotStuff At(this Play play, NodeId node) => (HotStuff)play[node];

    public static IEnumerable<HotStuff.Message.Vote> Votes(this Play play, NodeId from) =>
        play.Network.Where(item => item.From == from).Select(item => item.Message).OfType<HotStuff.Message.Vote>();

    /// <summary>A block with one certificate that it extends.</summary>
    public static Block Child(QuorumCertificate parent, long view, params ImmutableArray<HotStuff.Command> commands) => new(view, parent, commands);

    public static HotStuff.Message.Proposal Propose(Block block, TimeoutCertificate? entry = null) =>
        new(block, Genesis.Certificate, entry ?? TimeoutCertificate.None);

    /// <summary>What a member shows that knows one certificate, and perhaps a time-out certificate.</summary>
    public static Certificates Showing(QuorumCertificate high, TimeoutCertificate? timeout = null) =>
        new(high, Genesis.Certificate, timeout ?? TimeoutCertificate.None);
}
