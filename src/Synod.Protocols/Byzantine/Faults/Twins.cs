using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// Who is whose twin: addresses at which a second copy of a node runs, with its name and key (Bano et al. 2021, "Twins: BFT Systems
/// Made Robust"). Each copy is correct; together they say whatever a Byzantine node can say by not remembering what it said.
/// </summary>
public sealed class Twins
{
    private readonly SortedDictionary<NodeId, NodeId> _identities = [];

    /// <summary>Lets a second copy of <paramref name="identity"/> run at <paramref name="address"/>, which no node has.</summary>
    public Twins With(NodeId address, NodeId identity)
    {
        _identities.Add(address, identity);
        return this;
    }

    /// <summary>Whose name the node at <paramref name="address"/> goes by.</summary>
    public NodeId IdentityOf(NodeId address) => _identities.GetValueOrDefault(address, address);

    /// <summary>Whether <paramref name="identity"/> has two copies.</summary>
    public bool IsDouble(NodeId identity) => _identities.ContainsValue(identity);

    /// <summary>Where copies of <paramref name="identity"/> run, its own address first.</summary>
    public IEnumerable<NodeId> AddressesOf(NodeId identity)
    {
        yield return identity;
        foreach (var (address, other) in _identities)
        {
            if (other == identity)
            {
                yield return address;
            }
        }
    }
}

/// <summary>
/// A node in a network with twins. It knows identities only: what it sends to one goes to every address of it, and the network
/// decides who hears it; what comes from a copy comes from the identity. A copy that sends to itself is heard by itself alone.
/// </summary>
public sealed class Twinned<TMessage, TRecord, TCommand, TResult>(
    NodeId address, Twins twins, Protocol<TMessage, TRecord, TCommand, TResult> inner)
    : Disguise<TMessage, TRecord, TCommand, TResult>(inner)
{
    protected override void OnReceive(
        NodeId from, TMessage message, StepContext context, Outbox<TMessage, TRecord, TCommand, TResult> outbox) =>
        base.OnReceive(twins.IdentityOf(from), message, context, outbox);

    protected override void OnSend(NodeId to, TMessage message, StepContext context, Action<NodeId, TMessage> send)
    {
        if (to == twins.IdentityOf(address))
        {
            send(address, message);
            return;
        }

        foreach (var copy in twins.AddressesOf(to))
        {
            send(copy, message);
        }
    }
}
