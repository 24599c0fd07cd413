using Synod.Simulation;

namespace Synod.Lab.Hunts;

/// <summary>A known mistake in the shipping code of one protocol's room, to prove that a simulation of that room would find it.</summary>
/// <param name="Name">Lower case with hyphens, beginning with the room: <c>epaxos-preaccept-volatile</c>.</param>
/// <param name="Room">The protocol's name as its folder has it.</param>
/// <param name="Run">One run under a seed, mistake and all: what an invariant or checker objected to, or null.</param>
public sealed record RoomBug(string Name, string Room, Func<ulong, SimulationFailure?> Run);
