using System.Reflection;
using CsCheck;
using Synod.Core;
using Xunit;

namespace Synod.Protocols.Tests.Gossip.AntiEntropy;

/// <summary>What is demanded of every binary form of this room.</summary>
internal static class Fields
{
    /// <summary>Each case is among the values, survives its binary form, and no part of it is taken for the whole.</summary>
    public static void RoundTrip<T>(IWire<T> wire, IReadOnlyCollection<T> values)
        where T : class
    {
        Assert.Equal(
            typeof(T).GetNestedTypes(BindingFlags.Public).Length, values.Select(item => item.GetType()).Distinct().Count());
        Assert.All(values, value =>
        {
            var bytes = Bytes(wire, value);
            var reader = new CodecReader(bytes);
            var copy = wire.Read(ref reader);
            Assert.True(reader.IsComplete);
            Assert.Equal(bytes, Bytes(wire, copy!));
            Assert.Equal(value.ToString(), copy!.ToString());
            Assert.All(Enumerable.Range(0, bytes.Length), length =>
            {
                var part = new CodecReader(bytes.AsMemory(0, length));
                Assert.True(wire.Read(ref part) is null || !part.IsComplete);
            });
        });
    }

    /// <summary>Whatever bytes arrive are read or refused, and what is read is delivered without an exception.</summary>
    public static void Attack<TMessage, TRecord>(
        IWire<TMessage> messages, IWire<TRecord> records, IReadOnlyList<TMessage> samples, Action<TMessage> deliver)
        where TMessage : class
        where TRecord : class
    {
        Gen.Byte.Array[0, 60].Sample(Arrive);
        Gen.Select(Gen.Int[0, samples.Count - 1], Gen.Int[0, 300], Gen.Byte).Sample((which, at, value) =>
        {
            var bytes = Bytes(messages, samples[which]);
            bytes[at % bytes.Length] = value;
            Arrive(bytes);
        });

        void Arrive(byte[] bytes)
        {
            var reader = new CodecReader(bytes);
            if (messages.Read(ref reader) is { } message && reader.IsComplete)
            {
                deliver(message);
            }

            reader = new CodecReader(bytes);
            _ = records.Read(ref reader);
        }
    }

    public static byte[] Bytes<T>(IWire<T> wire, T value)
    {
        var writer = new CodecWriter();
        wire.Write(writer, value);
        return writer.ToArray();
    }
}
