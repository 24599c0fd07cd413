using System.Globalization;
using System.Numerics;
using Synod.Core;

namespace Synod.Simulation;

/// <summary>
/// What happened in a run: always as a running hash of 128 bits, so that two runs can be compared, and as text when a writer is
/// given.
/// </summary>
public sealed class SimulationTrace(TextWriter? writer)
{
    private ulong _low = 0x243f6a8885a308d3;
    private ulong _high = 0x13198a2e03707344;

    /// <summary>Whether text is wanted: callers build none otherwise.</summary>
    public bool IsWriting => writer is not null;

    /// <summary>The hash of everything noted so far.</summary>
    public UInt128 Hash => new(_high, _low);

    /// <summary>The hash as 32 hexadecimal digits.</summary>
    public string HashText => Hash.ToString("x32", CultureInfo.InvariantCulture);

    /// <summary>Adds two numbers to the hash.</summary>
    public void Note(long first, long second)
    {
        _low = BitOperations.RotateLeft((_low ^ (ulong)first) * 0x9e3779b97f4a7c15, 29) + _high;
        _high = BitOperations.RotateLeft((_high ^ (ulong)second) * 0xbf58476d1ce4e5b9, 31) ^ _low;
    }

    /// <summary>Writes one line. Call only if <see cref="IsWriting"/>.</summary>
    public void Write(long at, NodeId node, string text)
    {
        var who = node == NodeId.None ? "" : node.ToString();
        writer?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{at / 1_000_000m,12:0.000000} {who,-4} {text}"));
    }
}
