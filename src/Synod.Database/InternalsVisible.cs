using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Synod.Workloads")]
[assembly: InternalsVisibleTo("Synod.Database.Tests")]
