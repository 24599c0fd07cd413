namespace Synod.Core;

/// <summary>The binary form of one family of values: a protocol's messages, or its records.</summary>
public interface IWire<T>
{
    void Write(CodecWriter writer, T value);

    /// <summary>
    /// Reads one value, which may share memory with the reader's source. Null or a reader that is not complete means that the
    /// input is malformed.
    /// </summary>
    T? Read(ref CodecReader reader);
}
