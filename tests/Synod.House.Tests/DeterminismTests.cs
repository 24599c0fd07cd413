using System.Reflection;
using System.Runtime.CompilerServices;
using Xunit;

namespace Synod.House.Tests;

/// <summary>
/// Deterministic floors have no asynchronous method and no member that so much as mentions a task or a thread. The analyzer sees
/// uses; this sees signatures.
/// </summary>
public sealed class DeterminismTests
{
    private const BindingFlags All =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static TheoryData<string> Floors() => ["Synod.Core", "Synod.Crdt", "Synod.Database", "Synod.Protocols", "Synod.Storage"];

    [Theory]
    [MemberData(nameof(Floors))]
    public void Nothing_is_asynchronous(string assembly) =>
        Assert.DoesNotContain(Assembly.Load(assembly).GetTypes(), type => typeof(IAsyncStateMachine).IsAssignableFrom(type));

    [Theory]
    [MemberData(nameof(Floors))]
    public void No_member_mentions_tasks_or_threads(string assembly)
    {
        var found = new List<string>();
        foreach (var type in Assembly.Load(assembly).GetTypes())
        {
            found.AddRange(type.GetMembers(All).Where(member => Mentioned(member).Any(IsThreading)).Select(member => $"{type}.{member}"));
        }

        Assert.Empty(found);
    }

    [Fact]
    public void The_test_sees_a_task_that_is_mentioned()
    {
        Assert.Contains(typeof(Mentioning).GetMembers(All), member => Mentioned(member).Any(IsThreading));
        Assert.DoesNotContain(typeof(Quiet).GetMembers(All), member => Mentioned(member).Any(IsThreading));
    }

    private static bool IsThreading(Type type) =>
        type.Namespace is { } name && name.StartsWith("System.Threading", StringComparison.Ordinal);

    private static IEnumerable<Type> Mentioned(MemberInfo member) => member switch
    {
        FieldInfo field => Parts(field.FieldType),
        MethodInfo method => Parts(method.ReturnType).Concat(method.GetParameters().SelectMany(item => Parts(item.ParameterType))),
        ConstructorInfo constructor => constructor.GetParameters().SelectMany(item => Parts(item.ParameterType)),
        PropertyInfo property => Parts(property.PropertyType),
        _ => [],
    };

    private static IEnumerable<Type> Parts(Type type)
    {
        yield return type;
        foreach (var part in type.GetGenericArguments().Concat(type.HasElementType ? [type.GetElementType()!] : []))
        {
            foreach (var inner in part.IsGenericParameter ? [] : Parts(part))
            {
                yield return inner;
            }
        }
    }

    private sealed class Mentioning
    {
        public Dictionary<int, Task<int>[]> Later { get; } = [];
    }

    private sealed class Quiet
    {
        public Dictionary<int, List<int>[]> Now { get; } = [];
    }
}
