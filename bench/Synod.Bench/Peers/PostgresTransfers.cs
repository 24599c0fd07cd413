using Npgsql;
using Synod.Bench.Load;

namespace Synod.Bench.Peers;

/// <summary>
/// Transfers between two PostgreSQL servers with their own two-phase commit: BEGIN and UPDATE in one round trip, PREPARE
/// TRANSACTION, COMMIT PREPARED, each step on both servers in parallel. Nobody writes down the decision between the phases, as a
/// transaction manager that survives a crash would have to: the peer is given that for free.
/// </summary>
internal sealed class PostgresTransfers : ITarget
{
    private const string LockNotAvailable = "55P03";

    private readonly NpgsqlDataSource[] _servers;
    private readonly NpgsqlConnection[][] _connections;
    private readonly TransferLoad _load;
    private long _transactions;

    private PostgresTransfers(NpgsqlDataSource[] servers, NpgsqlConnection[][] connections, TransferLoad load)
    {
        _servers = servers;
        _connections = connections;
        _load = load;
    }

    public string Name => "postgres 2pc";

    public static async Task<PostgresTransfers> ConnectAsync(IReadOnlyList<string> connectionStrings, int clients, TransferLoad load)
    {
        var servers = connectionStrings.Select(NpgsqlDataSource.Create).ToArray();
        foreach (var server in servers)
        {
            await using var make = server.CreateCommand(
                $"""
                DROP TABLE IF EXISTS account;
                CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL);
                INSERT INTO account SELECT n, {TransferLoad.StartBalance} FROM generate_series(0, {load.AccountsPerSide - 1}) n;
                """);
            await make.ExecuteNonQueryAsync();
        }

        var connections = new NpgsqlConnection[clients][];
        for (var client = 0; client < clients; client++)
        {
            connections[client] = [await servers[0].OpenConnectionAsync(), await servers[1].OpenConnectionAsync()];
        }

        return new PostgresTransfers(servers, connections, load);
    }

    public async Task<int> OperateAsync(int client, Random random)
    {
        var transfer = _load.Draw(random);
        for (var tries = 0; ; tries++)
        {
            try
            {
                await TransferAsync(_connections[client], transfer);
                return tries;
            }
            catch (PostgresException conflict) when (conflict.SqlState == LockNotAvailable)
            {
                // Two transfers waited for each other on two servers, which neither can see; the statement's time limit ended it.
                await OnBothAsync(_connections[client], (connection, _) => ExecuteAsync(connection, "ROLLBACK"));
            }
            catch (NpgsqlException failure)
            {
                throw new OperationFailedException(failure.Message);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections.SelectMany(pair => pair))
        {
            await connection.DisposeAsync();
        }

        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }
    }

    private async Task TransferAsync(NpgsqlConnection[] connections, Transfer transfer)
    {
        var name = $"t{Interlocked.Increment(ref _transactions)}";
        await OnBothAsync(connections, (connection, side) => side == transfer.FromSide
            ? UpdateAsync(connection, transfer.From, -transfer.Amount)
            : UpdateAsync(connection, transfer.To, transfer.Amount));
        await OnBothAsync(connections, (connection, _) => ExecuteAsync(connection, $"PREPARE TRANSACTION '{name}'"));
        await OnBothAsync(connections, (connection, _) => ExecuteAsync(connection, $"COMMIT PREPARED '{name}'"));
    }

    private static Task OnBothAsync(NpgsqlConnection[] connections, Func<NpgsqlConnection, int, Task> act) =>
        Task.WhenAll(act(connections[0], 0), act(connections[1], 1));

    private static async Task UpdateAsync(NpgsqlConnection connection, int account, long amount)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("BEGIN"),
                new NpgsqlBatchCommand("UPDATE account SET balance = balance + $2 WHERE id = $1 RETURNING balance")
                {
                    Parameters = { new() { Value = account }, new() { Value = amount } },
                },
            },
        };
        if (await batch.ExecuteScalarAsync() is not long)
        {
            throw new OperationFailedException("PostgreSQL did not find an account that was made");
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }
}
