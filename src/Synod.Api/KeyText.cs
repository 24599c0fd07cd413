using System.Buffers;
using System.Globalization;
using System.Text;

namespace Synod.Api;

/// <summary>Keys for people and programs: UTF-8 text as it is, as the commands take it, and control characters and other bytes as \xNN.</summary>
public static class KeyText
{
    public static string Of(ReadOnlySpan<byte> key)
    {
        var text = new StringBuilder();
        while (key.Length > 0)
        {
            if (Rune.DecodeFromUtf8(key, out var letter, out var taken) == OperationStatus.Done && !Rune.IsControl(letter))
            {
                text.Append(letter.ToString());
            }
            else
            {
                foreach (var item in key[..taken])
                {
                    text.Append(CultureInfo.InvariantCulture, $"\\x{item:x2}");
                }
            }

            key = key[taken..];
        }

        return text.ToString();
    }
}
