using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Synod.Cluster.Tests.Support;

/// <summary>The built <c>synod</c> program as a process, with everything it says. Whatever happens, no process outlives the tests.</summary>
internal sealed class SynodProgram : IAsyncDisposable
{
    private static readonly ConcurrentDictionary<SynodProgram, bool> Running = [];
    private static readonly string Executable = Path.Combine(AppContext.BaseDirectory, "synod");

    private readonly Lock _gate = new();
    private readonly List<string> _output = [];
    private readonly List<string> _errors = [];
    private readonly Process _process;
    private readonly Task _ended;

    static SynodProgram() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (var program in Running.Keys)
        {
            program._process.Kill();
        }
    };

    private SynodProgram(ProcessStartInfo start, string input)
    {
        _process = Process.Start(start) ?? throw new InvalidOperationException("The program could not be started.");
        Running[this] = true;
        _process.StandardInput.Write(input);
        _process.StandardInput.Close();
        _ended = Task.WhenAll(CopyAsync(_process.StandardOutput, _output), CopyAsync(_process.StandardError, _errors), EndAsync());
    }

    public bool IsRunning => !_process.HasExited;

    public string Output => Text(_output);

    public string Errors => Text(_errors);

    /// <summary>Everything that it said, for whoever looks at a failure.</summary>
    public string Everything => $"{Output}\n{Errors}";

    public static SynodProgram Start(params IEnumerable<string> arguments) => Start("", [], arguments);

    public static SynodProgram Start(string input, IEnumerable<(string Name, string Value)> environment, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Executable)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new SynodProgram(start, input);
    }

    /// <summary>Runs a command to its end.</summary>
    public static Task<Finished> RunAsync(params IEnumerable<string> arguments) => RunAsync("", [], arguments);

    /// <summary>Runs a command to its end.</summary>
    public static async Task<Finished> RunAsync(
        string input, IEnumerable<(string Name, string Value)> environment, IEnumerable<string> arguments)
    {
        await using var program = Start(input, environment, arguments);
        var code = await program.ExitAsync();
        return new Finished(code, program.Output, program.Errors);
    }

    /// <summary>Its exit code, once it has ended.</summary>
    public async Task<int> ExitAsync()
    {
        await Await.UntilAsync("a process ends", () => _ended.IsCompleted);
        await _ended;
        return _process.ExitCode;
    }

    /// <summary>Waits until it has said <paramref name="text"/>.</summary>
    public Task SaysAsync(string text) =>
        Await.UntilAsync($"a process says '{text}'", () => Everything.Contains(text, StringComparison.Ordinal));

    public void Signal(Signal signal)
    {
        if (Kill(_process.Id, (int)signal) != 0)
        {
            throw new InvalidOperationException($"{signal} could not be sent: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    /// <summary>SIGSTOP, and waits until every thread stands still: the signal's sender returns before they do.</summary>
    public Task PauseAsync()
    {
        Signal(Support.Signal.Stop);
        return Await.UntilAsync(
            "all threads stand still",
            () => Directory.GetDirectories($"/proc/{_process.Id}/task").All(thread =>
                File.ReadAllText(Path.Combine(thread, "stat")) is var stat && stat[stat.LastIndexOf(')') + 2] == 'T'));
    }

    /// <summary>The processes that this one started and that are running.</summary>
    public IReadOnlyList<int> Children() =>
        [.. Process.GetProcesses().Select(process => process.Id).Where(id => ParentOf(id) == _process.Id)];

    /// <summary>SIGKILL: nothing is flushed, nobody is told.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _ended;
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }

    /// <summary>The second field after the name, which may hold anything; none if the process is gone.</summary>
    private static int? ParentOf(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null;
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int process, int signal);

    private async Task EndAsync()
    {
        await _process.WaitForExitAsync();
        Running.TryRemove(this, out _);
    }

    private async Task CopyAsync(StreamReader from, List<string> into)
    {
        while (await from.ReadLineAsync() is { } line)
        {
            lock (_gate)
            {
                into.Add(line);
            }
        }
    }

    private string Text(List<string> lines)
    {
        lock (_gate)
        {
            return string.Join('\n', lines);
        }
    }
}

/// <summary>A command that has ended.</summary>
internal sealed record Finished(int Code, string Output, string Errors)
{
    /// <summary>Checks how it ended; what it said is in the message if that is not so.</summary>
    public Finished Ends(int code)
    {
        Assert.True(Code == code, $"Exit code {Code} instead of {code}.\n{Output}\n{Errors}");
        return this;
    }

    /// <summary>Checks that it failed with a message for people: one that names the program, no stack trace and no names from the code.</summary>
    public Finished Fails(int code, params ReadOnlySpan<string> says)
    {
        Ends(code);
        foreach (var text in says)
        {
            Assert.Contains(text, Errors, StringComparison.OrdinalIgnoreCase);
        }

        Assert.DoesNotContain("   at ", Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("(Parameter '", Errors, StringComparison.Ordinal);
        return this;
    }
}

/// <summary>Signals by their numbers on Linux.</summary>
internal enum Signal
{
    Kill = 9,
    Terminate = 15,
    Continue = 18,
    Stop = 19,
}
