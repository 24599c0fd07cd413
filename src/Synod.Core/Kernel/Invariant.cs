using System.Diagnostics.CodeAnalysis;

namespace Synod.Core;

/// <summary>Assertions of our own claims. They stay on in release builds: a node that broke an invariant must stop, not go on.</summary>
public static class Invariant
{
    /// <exception cref="InvariantViolation">The claim does not hold.</exception>
    public static void Check([DoesNotReturnIf(false)] bool holds, string name)
    {
        if (!holds)
        {
            throw new InvariantViolation(name);
        }
    }

    /// <exception cref="InvariantViolation">The claim does not hold; <paramref name="detail"/> is only built then.</exception>
    public static void Check(
        [DoesNotReturnIf(false)] bool holds,
        string name,
        [System.Runtime.CompilerServices.InterpolatedStringHandlerArgument(nameof(holds))] ref InvariantDetail detail)
    {
        if (!holds)
        {
            throw new InvariantViolation(name, detail.ToStringAndClear());
        }
    }
}

/// <summary>Builds the detail of a broken invariant, and nothing while it holds.</summary>
[System.Runtime.CompilerServices.InterpolatedStringHandler]
public ref struct InvariantDetail
{
    private System.Runtime.CompilerServices.DefaultInterpolatedStringHandler _text;

    public InvariantDetail(int literalLength, int formattedCount, bool holds, out bool build)
    {
        build = !holds;
        _text = build ? new(literalLength, formattedCount, System.Globalization.CultureInfo.InvariantCulture) : default;
    }

    public void AppendLiteral(string value) => _text.AppendLiteral(value);

    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

    internal string ToStringAndClear() => _text.ToStringAndClear();
}

/// <summary>A claim of Synod about itself was found false. Never caused by input from a peer or client: that is refused.</summary>
public sealed class InvariantViolation(string invariant, string detail = "")
    : Exception(detail.Length == 0 ? $"Invariant '{invariant}' is broken." : $"Invariant '{invariant}' is broken: {detail}")
{
    /// <summary>The invariant's name, as in the protocol's Invariants.cs.</summary>
    public string Invariant { get; } = invariant;
}
