using Synod.Core;

namespace Synod.Exploration;

/// <summary>
/// Schedules by rounds (Bano et al. 2021, "Twins: BFT Systems Made Robust"): in each round the network is split in one of several
/// ways, everything that is said in the round is delivered within its side, the rest is lost, and then those who still wait give up.
/// Every sequence of splits, and of leaders where these are drawn, is tried; worlds that come out equal at the end of a round go on
/// as one.
/// </summary>
public sealed record RoundModel<TMessage, TRecord, TCommand, TResult>
{
    /// <summary>
    /// The nodes, submissions and properties; its budgets do not apply. Each node is given one of its submissions at the beginning of
    /// each round. Properties are asked at the end of rounds, and of instances alone: nobody restarts, so logs are not part of a world, nor is
    /// what is executed or answered.
    /// </summary>
    public required Model<TMessage, TRecord, TCommand, TResult> Model { get; init; }

    /// <summary>How many rounds there are, the first being round 1.</summary>
    public required int Rounds { get; init; }

    /// <summary>The ways to split the network, of which each round takes one.</summary>
    public required IReadOnlyList<Partition> Partitions { get; init; }

    /// <summary>
    /// The first round whose network may carry a message: until then it waits. A message that is sent by whoever gives up belongs to
    /// the round that it opens. Null: it belongs to the round in which it is under way.
    /// </summary>
    public required Func<TMessage, long?> RoundOf { get; init; }

    /// <summary>Whether a timer that is armed at the end of a round fires then.</summary>
    public required Func<Protocol<TMessage, TRecord, TCommand, TResult>, TimerId, long, bool> Expires { get; init; }

    /// <summary>Whether a timer fires within a round, once nothing of the round is under way any more.</summary>
    public Func<Protocol<TMessage, TRecord, TCommand, TResult>, TimerId, bool> Elapses { get; init; } = (_, _) => false;

    /// <summary>Tells the protocol who leads, if that is part of the schedule.</summary>
    public LeaderDraw? Leaders { get; init; }

    /// <summary>The first round whose leader may still matter to a node.</summary>
    public Func<Protocol<TMessage, TRecord, TCommand, TResult>, long> AsksFrom { get; init; } = _ => 0;

    /// <summary>What decides on what follows from a world. Null: all of it.</summary>
    public RoundEssence<TMessage, TRecord, TCommand, TResult>? Essence { get; init; }

    /// <summary>The essence, if there is one, or else one that says all.</summary>
    internal RoundEssence<TMessage, TRecord, TCommand, TResult> EssenceOrAll =>
        Essence ?? new WholeState<TMessage, TRecord, TCommand, TResult>(Model.Messages);

    /// <summary>
    /// Groups of nodes that differ only in their names: worlds that differ only by a renaming within these are one. Names are those that
    /// essences write as nodes.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<NodeId>> Alike { get; init; } = [];

    /// <summary>Groups of addresses that are alike and run under one name: they change places, and no name that is written changes.</summary>
    public IReadOnlyList<IReadOnlyList<NodeId>> Copies { get; init; } = [];

    /// <summary>Lies that <see cref="Liars"/> may tell beside being twins: at most one of them in a round.</summary>
    public IReadOnlyList<Lie<TMessage>> Lies { get; init; } = [];

    /// <summary>Addresses whose messages may be lies.</summary>
    public NodeSet Liars { get; init; }

    /// <summary>In how many rounds of one schedule lies are told at most.</summary>
    public int MaxLies { get; init; }

    /// <summary>
    /// Whether the worlds at the end of the last round are judged and no more: nothing follows from them, and to say how many they are takes as
    /// long as to reach them.
    /// </summary>
    public bool OnlyJudgesLast { get; init; }

    /// <summary>The search ends when it has seen this many worlds at ends of rounds.</summary>
    public int MaxStates { get; init; } = int.MaxValue;
}

/// <summary>A small change of a message, such as another round or an earlier value.</summary>
/// <param name="Name">How it is called in a counterexample.</param>
/// <param name="Tell">
/// What is said instead of a message, given what liars said before, of each kind the last; null if the message stays as it is.
/// </param>
public sealed record Lie<TMessage>(string Name, Func<TMessage, IReadOnlyList<TMessage>, TMessage?> Tell);
