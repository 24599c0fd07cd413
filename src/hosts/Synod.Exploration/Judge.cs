namespace Synod.Exploration;

/// <summary>
/// Holds worlds against "always" and "sometimes". A property that looks at nodes only is asked once for each combination of their
/// states, of which there are far fewer than worlds.
/// </summary>
internal sealed class Judge<TMessage, TRecord, TCommand, TResult>
{
    private readonly Layout _layout;
    private readonly World<TMessage, TRecord, TCommand, TResult> _view;
    private readonly HashSet<UInt128> _judged = [];
    private readonly SortedDictionary<string, int> _reached = new(StringComparer.Ordinal);
    private readonly List<Property<TMessage, TRecord, TCommand, TResult>> _open;
    private readonly List<Property<TMessage, TRecord, TCommand, TResult>> _ofNodes;
    private readonly List<Property<TMessage, TRecord, TCommand, TResult>> _ofWorlds = [];

    public Judge(Model<TMessage, TRecord, TCommand, TResult> model, Layout layout, World<TMessage, TRecord, TCommand, TResult> view)
    {
        (_layout, _view) = (layout, view);
        _ofNodes = [.. model.Properties.Where(property => property.Kind != PropertyKind.Eventually)];
        _open = [.. model.Properties.Where(property => property.Kind == PropertyKind.Sometimes)];
    }

    /// <summary>Distinct combinations of node states.</summary>
    public int Count => _judged.Count;

    public IReadOnlyDictionary<string, int> Reached => _reached;

    public IReadOnlyList<string> Unreached => [.. _open.Select(property => property.Name)];

    /// <summary>The name of the first "always" that does not hold in a world, <paramref name="depth"/> moves from the start.</summary>
    public string? Fault(int[] world, int depth)
    {
        _view.Show(world);
        var fault = _judged.Add(_layout.FingerprintOfNodes(world)) ? FaultOfNodes(depth) : null;
        for (var index = 0; fault is null && index < _ofWorlds.Count; index++)
        {
            fault = Ask(_ofWorlds[index], depth);
        }

        return fault;
    }

    private string? FaultOfNodes(int depth)
    {
        string? fault = null;
        for (var index = 0; fault is null && index < _ofNodes.Count; index++)
        {
            var property = _ofNodes[index];
            _view.LooksBeyondNodes = false;
            fault = Ask(property, depth);
            if (_view.LooksBeyondNodes)
            {
                _ofNodes.RemoveAt(index--);
                _ofWorlds.Add(property);
            }
        }

        return fault;
    }

    private string? Ask(Property<TMessage, TRecord, TCommand, TResult> property, int depth)
    {
        var holds = property.Holds(_view);
        if (property.Kind == PropertyKind.Always)
        {
            return holds ? null : property.Name;
        }

        if (holds && _open.Remove(property))
        {
            _reached.Add(property.Name, depth);
        }

        return null;
    }
}
