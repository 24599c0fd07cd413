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
        [InterpolatedStringHandlerArgument(nameof(holds))] InvariantDetail detail)
    {
        if (!holds)
        {
            Throw(name, detail.Text);
        }
    }

    /// <summary>The same with two values as the detail: for checks so frequent that even the look at whether to build one counts.</summary>
    /// <exception cref="InvariantViolation">The claim does not hold.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check<TFirst, TSecond>([DoesNotReturnIf(false)] bool holds, string name, TFirst first, TSecond second)
    {
        if (!holds)
        {
            Throw(name, first, second);
        }
    }

    [DoesNotReturn]
    private static void Throw<TFirst, TSecond>(string name, TFirst first, TSecond second) =>
        Throw(name, string.Create(CultureInfo.InvariantCulture, $"{first} and {second}"));

    [DoesNotReturn]
    private static void Throw(string name, string detail) => throw new InvariantViolation(name, detail);
}

/// <summary>
/// Builds the detail of a broken invariant. Every step makes a dozen of them, so while it holds this is one null in a register: nothing
/// here takes its address.
/// </summary>
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

    /// <summary>What was appended; empty while the invariant holds.</summary>
    public string Text
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Print(_text);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AppendLiteral(string value) => Append(_text!, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AppendFormatted<T>(T value) => Append(_text!, value);

    private static string Print(StringBuilder? text) => $"{text}";

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Append<T>(StringBuilder text, T value) => text.Append(CultureInfo.InvariantCulture, $"{value}");
}

/// <summary>A claim of Synod about itself was found false. Never caused by input from a peer or client: that is refused.</summary>
public sealed class InvariantViolation(string invariant, string detail = "")
    : Exception(detail.Length == 0 ? $"Invariant '{invariant}' is broken." : $"Invariant '{invariant}' is broken: {detail}")
{
    /// <summary>The invariant's name, as in the protocol's Invariants.cs.</summary>
    public string Invariant { get; } = invariant;
}
