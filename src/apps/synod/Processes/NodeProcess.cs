using System.Diagnostics;
using System.Globalization;

namespace Synod.App.Processes;

/// <summary>One node as a process of its own: this program under another command, with its log in a file.</summary>
internal sealed class NodeProcess(int id, string folder, IReadOnlyList<string> arguments) : IAsyncDisposable
{
    private const string EndsWithInput = "SYNOD_ENDS_WITH_INPUT";

    private Process? _process;
    private Task _output = Task.CompletedTask;

    public int Id => id;

    public string LogFile => Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"node-{id}.log"));

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>
    /// In a process that was started here: it ends with the one that started it, even if that was killed, since its input ends then.
    /// </summary>
    public static void EndWithStarter()
    {
        if (Environment.GetEnvironmentVariable(EndsWithInput) is null)
        {
            return;
        }

        var input = Console.OpenStandardInput();
        new Thread(() =>
        {
            while (input.ReadByte() >= 0)
            {
            }

            Environment.Exit(ExitCodes.Failed);
        }) { IsBackground = true, Name = "starter" }.Start();
    }

    public void Start()
    {
        var program = Environment.ProcessPath ?? throw new InvalidOperationException("The program does not know its own path.");
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment[EndsWithInput] = "1";
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
        {
            start.ArgumentList.Add(typeof(NodeProcess).Assembly.Location);
        }

        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        _process = Process.Start(start) ?? throw new InvalidOperationException($"Node {id} could not be started.");
        _output = CopyOutputAsync(_process);
    }

    /// <summary>SIGKILL: nothing is flushed, nobody is told.</summary>
    public async Task KillAsync()
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            await _output;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (IsRunning)
        {
            await KillAsync();
        }

        _process?.Dispose();
    }

    private async Task CopyOutputAsync(Process process)
    {
        await using var file = new FileStream(LogFile, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        await using var log = new StreamWriter(file) { AutoFlush = true };
        var gate = new SemaphoreSlim(1);
        await Task.WhenAll(CopyAsync(process.StandardOutput), CopyAsync(process.StandardError));

        async Task CopyAsync(StreamReader from)
        {
            while (await from.ReadLineAsync() is { } line)
            {
                await gate.WaitAsync();
                try
                {
                    await log.WriteLineAsync(line);
                }
                finally
                {
                    gate.Release();
                }
            }
        }
    }
}
