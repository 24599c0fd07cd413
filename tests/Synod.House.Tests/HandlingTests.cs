using System.Buffers.Binary;
using System.Reflection;
using Synod.Core;
using Xunit;

namespace Synod.House.Tests;

/// <summary>
/// Every case of every message, record and command of every protocol is told apart by some method of its assembly that is not
/// part of a wire: the code of one contains a type test for the case.
/// </summary>
public sealed class HandlingTests
{
    private const BindingFlags All =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static TheoryData<string, string> Protocols() => new(
        from assembly in new[] { "Synod.Protocols", "Synod.Database" }
        from type in Assembly.Load(assembly).GetTypes()
        where !type.IsAbstract && Arguments(type) is not null
        select (assembly, type.FullName!));

    [Theory]
    [MemberData(nameof(Protocols))]
    public void Every_case_is_handled(string assembly, string protocol)
    {
        var type = Assembly.Load(assembly).GetType(protocol)!;
        var tested = Tested(type);
        var unhandled =
            from family in Arguments(type)!.Take(2)
            where family.Assembly == type.Assembly
            from kind in family.Assembly.GetTypes()
            where !kind.IsAbstract && kind.IsSubclassOf(family) && !tested.Contains(kind.MetadataToken)
            select kind.Name;
        Assert.Empty(unhandled);
    }

    [Fact]
    public void There_are_protocols_to_look_at() => Assert.True(Protocols().Count >= 3);

    [Fact]
    public void The_test_sees_a_case_that_is_not_handled()
    {
        var tested = Tested(typeof(HalfDeaf));
        Assert.Contains(typeof(Heard).MetadataToken, tested);
        Assert.DoesNotContain(typeof(Unheard).MetadataToken, tested);
    }

    private static Type[]? Arguments(Type type)
    {
        for (var at = type.BaseType; at is not null; at = at.BaseType)
        {
            if (at.IsGenericType && at.GetGenericTypeDefinition() == typeof(Protocol<,,,>))
            {
                return at.GetGenericArguments();
            }
        }

        return null;
    }

    /// <summary>The types that any method beside <paramref name="type"/> tests for (isinst), apart from those that only write.</summary>
    private static HashSet<int> Tested(Type type)
    {
        const byte IsInstance = 0x75;
        var tokens = new HashSet<int>();
        var parts = type.Assembly.GetTypes().Where(part => !part.Name.EndsWith("Wire", StringComparison.Ordinal));

        // A record's own Equals tests for its type and handles nothing.
        foreach (var method in parts.SelectMany(part => part.GetMethods(All)).Where(method => method.Name != nameof(Equals)))
        {
            var code = method.GetMethodBody()?.GetILAsByteArray() ?? [];
            for (var at = 0; at + 5 <= code.Length; at++)
            {
                if (code[at] == IsInstance)
                {
                    tokens.Add(BinaryPrimitives.ReadInt32LittleEndian(code.AsSpan(at + 1)));
                }
            }
        }

        return tokens;
    }

    private abstract record Said;

    private sealed record Heard : Said;

    private sealed record Unheard : Said;

    private sealed class HalfDeaf
    {
        public static bool Hear(Said said) => said is Heard;
    }
}
