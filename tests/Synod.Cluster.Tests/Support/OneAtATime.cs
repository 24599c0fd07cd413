using Xunit.Sdk;
using Xunit.v3;

// Each test starts a cluster of processes: two at a time would disturb each other.
[assembly: Parallelization(Mode = ParallelMode.None)]
