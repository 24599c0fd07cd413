using System.Diagnostics;
using System.Globalization;

namespace Synod.Bench.Members;

/// <summary>A process full of members of either side, asked over its standard input.</summary>
internal sealed class AgentProcess : IAsyncDisposable
{
    private readonly Process _process;

    private AgentProcess(Process process) => _process = process;

    /// <summary>Starts it and waits until its members have joined.</summary>
    public static async Task<AgentProcess> StartAsync(IReadOnlyList<string> command, int port, int count, string key, int? join)
    {
        List<string> arguments = [.. command.Skip(1), "--port", Text(port), "--count", Text(count), "--key", key];
        if (join is { } contact)
        {
            arguments.AddRange(["--join", $"127.0.0.1:{Text(contact)}"]);
        }

        var agent = new AgentProcess(Process.Start(new ProcessStartInfo(command[0], arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!);
        _ = await agent.ReadAsync();
        return agent;
    }

    public async Task<double[]> AskAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
        return [.. (await ReadAsync()).Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
    }

    /// <summary>Takes its processor away for a while: the rest of the world goes on.</summary>
    public async Task StopForAsync(TimeSpan time)
    {
        await SignalAsync("STOP");
        await Task.Delay(time);
        await SignalAsync("CONT");
    }

    public async ValueTask DisposeAsync()
    {
        // At the end of its input it ends by itself, and takes its files with it.
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task SignalAsync(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", Text(_process.Id)]);
        await kill.WaitForExitAsync();
    }

    /// <exception cref="InvalidOperationException">The process is over; what it had to say is on our error stream.</exception>
    private async Task<string> ReadAsync()
    {
        if (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            return line;
        }

        await _process.WaitForExitAsync();
        throw new InvalidOperationException($"The members' process '{_process.StartInfo.FileName}' ended with exit code {Text(_process.ExitCode)}.");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
