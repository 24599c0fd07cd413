namespace Synod.Workloads;

/// <summary>A worker saw something that cannot be, in the middle of its work.</summary>
public sealed class WorkloadBroken(string what) : Exception(what);
