using System.Globalization;
using Synod.Core;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Worlds;

/// <summary>
/// A service of named counters. <c>x+</c> adds one and gives the sum, <c>x=5</c> sets and gives what was, anything else reads. An
/// increment that is done twice shows.
/// </summary>
internal sealed class Counters : IReplicatedService
{
    private readonly SortedDictionary<string, long> _values = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, long> Values => _values;

    public static ReadOnlyMemory<byte> Bytes(string text) => Key.Of(text).Memory;

    public ReadOnlyMemory<byte> Execute(NodeId client, ReadOnlyMemory<byte> operation)
    {
        var text = System.Text.Encoding.UTF8.GetString(operation.Span);
        if (text.EndsWith('+'))
        {
            var name = text[..^1];
            _values[name] = unchecked(_values.GetValueOrDefault(name) + 1);
            return Shown(name);
        }

        var parts = text.Split('=');
        if (parts.Length == 2 && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var value))
        {
            var before = Shown(parts[0]);
            _values[parts[0]] = value;
            return before;
        }

        return Shown(text);
    }

    public ReadOnlyMemory<byte> Read(NodeId client, ReadOnlyMemory<byte> operation) =>
        Shown(System.Text.Encoding.UTF8.GetString(operation.Span));

    public void Save(CodecWriter writer)
    {
        writer.Unsigned((ulong)_values.Count);
        foreach (var (name, value) in _values)
        {
            writer.String(name);
            writer.Signed(value);
        }
    }

    public void Load(ReadOnlyMemory<byte> state)
    {
        _values.Clear();
        var reader = new CodecReader(state);
        for (var count = reader.Count(); count > 0; count--)
        {
            _values[reader.String()] = reader.Signed();
        }

        Invariant.Check(reader.IsComplete, "StateIsSound");
    }

    private ReadOnlyMemory<byte> Shown(string name) =>
        Bytes(_values.GetValueOrDefault(name).ToString(CultureInfo.InvariantCulture));
}
