namespace Synod.Storage;

internal readonly record struct BatchHeader
{
    public const int Size = 72;
}
