using System.Globalization;

namespace Synod.Cluster.Tests.Support;

/// <summary>One node of a test's cluster: its folder, and the process that serves it, if one does.</summary>
internal sealed class TestNode(int id, string folder, string endpoint, IReadOnlyList<string> arguments) : IAsyncDisposable
{
    private readonly List<string> _before = [];
    private SynodProgram? _program;

    public int Id => id;

    public string Folder => folder;

    /// <summary>Where clients reach it.</summary>
    public string Endpoint => endpoint;

    public bool IsRunning => _program is { IsRunning: true };

    public SynodProgram Program => _program ?? throw new InvalidOperationException($"Node {id} has not been started.");

    /// <summary>What all its processes said.</summary>
    public string Log => string.Join('\n', [.. _before, _program?.Everything ?? ""]);

    public SynodProgram Start(params IEnumerable<string> more)
    {
        if (_program is { } before)
        {
            Assert.False(before.IsRunning);
            _before.Add(before.Everything);
        }

        _program = SynodProgram.Start(
            ["start", "--id", id.ToString(CultureInfo.InvariantCulture), "--data", folder, .. arguments, .. more]);
        return _program;
    }

    public Task KillAsync() => Program.KillAsync();

    /// <summary>Loses everything: the process is over, and its disk is empty.</summary>
    public void Wipe()
    {
        Assert.False(IsRunning);
        Directory.Delete(folder, recursive: true);
    }

    public async ValueTask DisposeAsync()
    {
        if (_program is not null)
        {
            await _program.DisposeAsync();
        }
    }
}
