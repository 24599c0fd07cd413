using System.Globalization;
using System.Text;

namespace Synod.Core;

/// <summary>Prints a state as one line of name=value pairs, for traces and counterexamples.</summary>
public sealed class StatePrinter : StateVisitor
{
    private readonly StringBuilder _text = new();

    public override bool IsReading => false;

    public override string ToString() => _text.ToString();

    public override void Visit(string name, ref bool value) => Field(name, value ? "yes" : "no");

    public override void Visit(string name, ref int value) => Field(name, value.ToString(CultureInfo.InvariantCulture));

    public override void Visit(string name, ref long value) => Field(name, value.ToString(CultureInfo.InvariantCulture));

    public override void Visit(string name, ref string value) => Field(name, value);

    public override void Visit(string name, ref NodeId value) => Field(name, value.ToString());

    public override void Visit(string name, ref NodeSet value) => Field(name, value.ToString());

    public override void Visit(string name, ref ReadOnlyMemory<byte> value) =>
        Field(name, value.Length <= 16 ? Convert.ToHexString(value.Span) : $"{value.Length} bytes");

    public override void Visit<T>(string name, ref T value, IWire<T> wire) => Field(name, value?.ToString() ?? "-");

    public override void Visit<T>(string name, List<T> list, Element<T> element)
    {
        Field(name, "[");
        foreach (var item in list)
        {
            var copy = item;
            element(this, ref copy);
        }

        _text.Append(']');
    }

    public override void Visit<TKey, TValue>(
        string name, IDictionary<TKey, TValue> map, Element<TKey> key, Element<TValue> value)
    {
        Field(name, "{");
        foreach (var pair in map.OrderBy(pair => pair.Key))
        {
            var (k, v) = (pair.Key, pair.Value);
            key(this, ref k);
            value(this, ref v);
        }

        _text.Append('}');
    }

    private void Field(string name, string value)
    {
        if (_text.Length > 0 && _text[^1] is not ('[' or '{'))
        {
            _text.Append(' ');
        }

        if (name is not ("" or "."))
        {
            _text.Append(name).Append('=');
        }

        _text.Append(value);
    }
}
