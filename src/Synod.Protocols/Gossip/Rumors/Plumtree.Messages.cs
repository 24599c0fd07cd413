using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Gossip;

public sealed partial class Plumtree
{
    /// <summary>An id that a neighbour has, and how many hops from the origin the receiver would be if it came from there.</summary>
    public readonly record struct Announced(RumorId Id, int Round)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Id}@{Round}");
    }

    /// <summary>What neighbours say to each other.</summary>
    public abstract record Message
    {
        /// <summary>To eager peers: the payload, at so many hops from its origin.</summary>
        public sealed record Gossip(Rumor Rumor, int Round) : Message
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Gossip {Rumor} @{Round}");
        }

        /// <summary>To lazy peers: I have these. A greeting, from whoever is new beside one, asks for the same in return.</summary>
        public sealed record IHave(ImmutableArray<Announced> Ids, bool IsGreeting) : Message
        {
            public override string ToString() => $"IHave [{string.Join(" ", Ids)}]{(IsGreeting ? " greeting" : "")}";
        }

        /// <summary>Our link is eager from now on; and send me this, if one is named.</summary>
        public sealed record Graft(RumorId? Id) : Message
        {
            public override string ToString() => $"Graft {(Id is { } id ? id.ToString() : "-")}";
        }

        /// <summary>I had that already: our link is lazy from now on.</summary>
        public sealed record Prune : Message
        {
            public override string ToString() => "Prune";
        }
    }

    /// <summary>The binary form of messages.</summary>
    public sealed class MessageWire : IWire<Message>
    {
        public void Write(CodecWriter writer, Message value)
        {
            switch (value)
            {
                case Message.Gossip gossip:
                    writer.Byte(1);
                    Rumor.Wire.Instance.Write(writer, gossip.Rumor);
                    writer.Int(gossip.Round);
                    break;
                case Message.IHave have:
                    writer.Byte(2);
                    writer.Bool(have.IsGreeting);
                    writer.Many(have.Ids, static (w, item) =>
                    {
                        RumorId.Wire.Instance.Write(w, item.Id);
                        w.Int(item.Round);
                    });
                    break;
                case Message.Graft graft:
                    writer.Byte(graft.Id is null ? (byte)3 : (byte)4);
                    if (graft.Id is { } id)
                    {
                        RumorId.Wire.Instance.Write(writer, id);
                    }

                    break;
                case Message.Prune:
                    writer.Byte(5);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a message of this protocol.");
            }
        }

        public Message? Read(ref CodecReader reader)
        {
            switch (reader.Byte())
            {
                case 1:
                    return new Message.Gossip(Rumor.Wire.Instance.Read(ref reader), reader.Int());
                case 2:
                    var isGreeting = reader.Bool();
                    return new Message.IHave(
                        reader.Many(static (ref reader) => new Announced(RumorId.Wire.Instance.Read(ref reader), reader.Int())), isGreeting);
                case 3:
                    return new Message.Graft(null);
                case 4:
                    return new Message.Graft(RumorId.Wire.Instance.Read(ref reader));
                case 5:
                    return new Message.Prune();
                default:
                    return null;
            }
        }
    }
}
