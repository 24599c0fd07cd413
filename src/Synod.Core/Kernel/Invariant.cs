using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Synod.Core;

/// <summary>Assertions of our own claims. They stay on in release builds: a node that broke an invariant must stop, not go on.</summary>
public static class Invariant
{
    /// <exception cref="InvariantViolation">The claim does not hold.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check([DoesNotReturnIf(false)] bool holds, string name)
    {
        if (!holds)
        {
            Throw(name, "");
        }
    }

    /// <exception cref="InvariantViolation">The claim does not hold; <paramref name="detail"/> is only built then.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check(
        [DoesNotReturnIf(false)] bool holds,
        string name,
        [InterpolatedStringHandlerArgument(nameof(holds))] ref InvariantDetail detail)
    {
        if (!holds)
        {
            Throw(name, detail.ToString());
        }
    }

    [DoesNotReturn]
    private static void Throw(string name, string detail) => throw new InvariantViolation(name, detail);
}

/// <summary>Builds the detail of a broken invariant. While it holds this is one null, since every step makes a dozen of them.</summary>
[InterpolatedStringHandler]
public readonly ref struct InvariantDetail
{
    private readonly StringBuilder? _text;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public InvariantDetail(int literalLength, int formattedCount, bool holds, out bool build)
    {
        build = !holds;
        _text = holds ? null : new StringBuilder(literalLength + 16 * formattedCount);
    }

    public void AppendLiteral(string value) => _text!.Append(value);

    public void AppendFormatted<T>(T value) => _text!.Append(CultureInfo.InvariantCulture, $"{value}");

    public override string ToString() => $"{_text}";
}

/// <summary>A claim of Synod about itself was found false. Never caused by input from a peer or client: that is refused.</summary>
public sealed class InvariantViolation(string invariant, string detail = "")
    : Exception(detail.Length == 0 ? $"Invariant '{invariant}' is broken." : $"Invariant '{invariant}' is broken: {detail}")
{
    /// <summary>The invariant's name, as in the protocol's Invariants.cs.</summary>
    public string Invariant { get; } = invariant;
}
