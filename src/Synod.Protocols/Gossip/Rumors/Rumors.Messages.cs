using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Gossip;

public sealed partial class Rumors
{
    /// <summary>
    /// What nodes say to each other. Whoever sends rumors opens a contact under a number of its own, and hears under that number which of
    /// them were not needed: by their places, in ascending order.
    /// </summary>
    public abstract record Message
    {
        /// <summary>Whoever is interested to a peer: these are new.</summary>
        public sealed record Push(long Contact, ImmutableArray<Rumor> Rumors) : Message
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Push {Contact} [{string.Join(" ", Rumors)}]");
        }

        /// <summary>Anybody to a peer: these are new if there are any, and what is new with you?</summary>
        public sealed record Pull(long Contact, ImmutableArray<Rumor> Rumors) : Message
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Pull {Contact} [{string.Join(" ", Rumors)}]");
        }

        /// <summary>The answer to a pull: which of yours I knew, and what is new with me, as a contact of mine.</summary>
        public sealed record Offer(long Pulled, ImmutableArray<int> Known, long Contact, ImmutableArray<Rumor> Rumors) : Message
        {
            public override string ToString() => string.Create(
                CultureInfo.InvariantCulture, $"Offer {Pulled} knew [{string.Join(" ", Known)}], {Contact} [{string.Join(" ", Rumors)}]");
        }

        /// <summary>The answer to a push or an offer: which of them I knew.</summary>
        public sealed record Feedback(long Contact, ImmutableArray<int> Known) : Message
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Feedback {Contact} knew [{string.Join(" ", Known)}]");
        }
    }

    /// <summary>The binary form of messages.</summary>
    public sealed class MessageWire : IWire<Message>
    {
        public void Write(CodecWriter writer, Message value)
        {
            switch (value)
            {
                case Message.Push push:
                    writer.Byte(1);
                    writer.Signed(push.Contact);
                    writer.Many(push.Rumors, static (w, rumor) => Rumor.Wire.Instance.Write(w, rumor));
                    break;
                case Message.Pull pull:
                    writer.Byte(2);
                    writer.Signed(pull.Contact);
                    writer.Many(pull.Rumors, static (w, rumor) => Rumor.Wire.Instance.Write(w, rumor));
                    break;
                case Message.Offer offer:
                    writer.Byte(3);
                    writer.Signed(offer.Pulled);
                    writer.Many(offer.Known, static (w, place) => w.Int(place));
                    writer.Signed(offer.Contact);
                    writer.Many(offer.Rumors, static (w, rumor) => Rumor.Wire.Instance.Write(w, rumor));
                    break;
                case Message.Feedback feedback:
                    writer.Byte(4);
                    writer.Signed(feedback.Contact);
                    writer.Many(feedback.Known, static (w, place) => w.Int(place));
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a message of this protocol.");
            }
        }

        public Message? Read(ref CodecReader reader) => reader.Byte() switch
        {
            1 => new Message.Push(reader.Signed(), Rumors(ref reader)),
            2 => new Message.Pull(reader.Signed(), Rumors(ref reader)),
            3 => new Message.Offer(reader.Signed(), Places(ref reader), reader.Signed(), Rumors(ref reader)),
            4 => new Message.Feedback(reader.Signed(), Places(ref reader)),
            _ => null,
        };

        private static ImmutableArray<Rumor> Rumors(ref CodecReader reader) =>
            reader.Many(static (ref reader) => Rumor.Wire.Instance.Read(ref reader));

        private static ImmutableArray<int> Places(ref CodecReader reader) => reader.Many(static (ref reader) => reader.Int());
    }
}
