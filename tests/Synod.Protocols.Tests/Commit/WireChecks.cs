using Synod.Core;
using Xunit;

namespace Synod.Protocols.Tests.Commit;

/// <summary>Binary forms: each case has one, it is read as what was written, and nothing else is read without an objection.</summary>
internal static class WireChecks
{
    public static void All<T>(IWire<T> wire, params T[] cases)
        where T : class
    {
        Assert.Equal(
            typeof(T).GetNestedTypes().Select(type => type.Name).Order(StringComparer.Ordinal),
            cases.Select(item => item.GetType().Name).Distinct().Order(StringComparer.Ordinal));
        foreach (var item in cases)
        {
            var writer = new CodecWriter();
            wire.Write(writer, item);
            var bytes = writer.ToArray();
            var reader = new CodecReader(bytes);
            var read = wire.Read(ref reader);
            Assert.True(reader.IsComplete);
            Assert.Equal(item.ToString(), read?.ToString());
            Assert.Equal(item.GetType(), read?.GetType());
            for (var length = 0; length < bytes.Length; length++)
            {
                var cut = new CodecReader(bytes.AsMemory(0, length));
                Assert.True(wire.Read(ref cut) is null || !cut.IsComplete);
            }

            for (var bit = 0; bit < bytes.Length * 8; bit++)
            {
                var flipped = (byte[])bytes.Clone();
                flipped[bit / 8] ^= (byte)(1 << (bit % 8));
                var damaged = new CodecReader(flipped);
                wire.Read(ref damaged);
            }
        }

        var unknown = new CodecReader(new byte[] { 99, 1, 2, 2 });
        Assert.Null(wire.Read(ref unknown));
    }
}
