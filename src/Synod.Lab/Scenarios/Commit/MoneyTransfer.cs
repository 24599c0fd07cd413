using System.Globalization;
using Synod.Core;
using Synod.Protocols.Commit;

namespace Synod.Lab.Scenarios.Commit;

using Cast = CommitCast<TwoPhaseCommit.Message, TwoPhaseCommit.Record>;

/// <summary>
/// The chapter's transfer of 100 from Alice to Bob, with what its code gets wrong: a second transfer between other accounts of the
/// same databases must not be undone (commit.md §1.6), and one that wants the same account must be kept out.
/// </summary>
public sealed class MoneyTransfer : Scenario
{
    private static readonly (string Name, int Database, long Balance)[] s_accounts =
        [("alice", 1, 1_000), ("carol", 1, 400), ("bob", 2, 500), ("dave", 2, 100)];

    public override string Name => "money-transfer";

    public override string Title => "Alice pays Bob 100 across two databases, while others pay each other: all or nothing, and no write is lost.";

    public override Promise Promise { get; } = Promise.That(
        "Agreement", "CommitValidity", "Ledger.Agreement", "NonBlocking", "TotalIsKept", "NoLostUpdate", "LocksKeepOthersOut");

    protected override void Play(Report report, ulong seed)
    {
        var cast = new Cast(
            new TwoPhaseCommitBill(), seed, ["coordinator", "DB1", "DB2"], Duration.FromMilliseconds(2), tellsTransactions: true);
        var (stage, k) = (cast.Stage, cast.Nodes[0]);
        var balances = s_accounts.ToDictionary(account => account.Name, account => account.Balance);
        stage.Stepped = (_, outbox) =>
        {
            foreach (ref readonly var executed in outbox.Executions)
            {
                // The write set and nothing else: a participant that put a copy of its whole store in place would undo the others' writes.
                foreach (var write in ((CommitCommand.Apply)executed.Command).Writes)
                {
                    balances[write.Key.ToString()] = long.Parse(new Key(write.Value).ToString(), CultureInfo.InvariantCulture);
                }
            }
        };
        var before = balances.Values.Sum();
        stage.Submit(k, Pay(cast, balances, "alice", "bob", 100), tag: 1);
        stage.Submit(k, Pay(cast, balances, "carol", "dave", 50), tag: 2);
        stage.At(Duration.FromMilliseconds(15), () => stage.Submit(k, Pay(cast, balances, "alice", "dave", 30), tag: 3));
        if (!report.Guard(() => stage.RunUntil(Duration.FromMilliseconds(200))))
        {
            return;
        }

        report.Show("Three transfers over two databases", stage.History);
        report.Tell($"t1 takes 100 from Alice in DB1 to Bob in DB2: {Told(cast, 1)}. t2 takes 50 from Carol to Dave at the same time: {Told(cast, 2)}.");
        report.Tell($"t3 wants Alice's account while t1 holds its lock; DB1 votes no: {Told(cast, 3)}, and its client may try again.");
        report.Tell($"In the end Alice has {balances["alice"]}, Bob {balances["bob"]}, Carol {balances["carol"]} and Dave {balances["dave"]}.");
        cast.Judge(report, cast.First, tag: 1, [.. cast.Nodes.Skip(1)], TwoPhaseCommitOptions.Default.Inquire);
        report.Safety("TotalIsKept", balances.Values.Sum() == before, $"{balances.Values.Sum()} of {before}");
        report.Safety(
            "NoLostUpdate",
            balances is { Count: 4 } && balances["alice"] == 900 && balances["bob"] == 600 && balances["carol"] == 350 && balances["dave"] == 150,
            $"both committed transfers are in the balances");
        report.Safety("LocksKeepOthersOut", cast.Told(1) == true && cast.Told(2) == true && cast.Told(3) == false, $"t3 was {Told(cast, 3)}");
    }

    private static CommitCommand.Begin Pay(
        Cast cast, Dictionary<string, long> balances, string from, string to, long amount) =>
        Cast.Begin(Write(cast, from, balances[from] - amount), Write(cast, to, balances[to] + amount));

    private static (NodeId Node, string Key, string Value) Write(Cast cast, string account, long balance) => (
        cast.Nodes[s_accounts.First(item => item.Name == account).Database], account, balance.ToString(CultureInfo.InvariantCulture));

    private static string Told(Cast cast, long tag) =>
        cast.Told(tag) switch { true => "committed", false => "aborted", null => "unknown" };
}
