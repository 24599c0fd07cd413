using Microsoft.Extensions.Logging;

namespace Synod.Node.Tests;

/// <summary>A logger that tests can wait on.</summary>
internal sealed class LogBook : ILogger
{
    private readonly Lock _lock = new();
    private readonly List<Entry> _entries = [];
    private readonly List<(Func<Entry, bool> Match, TaskCompletionSource<Entry> Found)> _waiting = [];

    /// <summary>The first line, past or future, with this event id and text.</summary>
    public Task<Entry> SeeAsync(int id, string text, CancellationToken cancellation)
    {
        bool Match(Entry entry) => entry.Id == id && entry.Text.Contains(text, StringComparison.Ordinal);
        lock (_lock)
        {
            foreach (var entry in _entries)
            {
                if (Match(entry))
                {
                    return Task.FromResult(entry);
                }
            }

            var found = new TaskCompletionSource<Entry>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((Match, found));
            return found.Task.WaitAsync(cancellation);
        }
    }

    public void Forget()
    {
        lock (_lock)
        {
            _entries.Clear();
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var entry = new Entry(logLevel, eventId.Id, formatter(state, exception), exception);
        lock (_lock)
        {
            _entries.Add(entry);
            foreach (var (match, found) in _waiting)
            {
                if (match(entry))
                {
                    _ = found.TrySetResult(entry);
                }
            }
        }
    }

    internal sealed record Entry(LogLevel Level, int Id, string Text, Exception? Cause);
}
