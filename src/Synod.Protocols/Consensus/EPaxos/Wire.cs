using Synod.Core;

namespace Synod.Protocols.Consensus;

public sealed partial class EPaxos
{
    /// <summary>The binary form of messages: one kind byte, then the fields.</summary>
    public sealed class MessageWire : IWire<Message>
    {
        /// <exception cref="InvariantViolation">A message case has no binary form.</exception>
        public void Write(CodecWriter writer, Message value)
        {
            switch (value)
            {
                case Message.PreAccept m:
                    Head(writer, 1, m.Id);
                    BatchWire.Instance.Write(writer, m.Batch);
                    DependenciesWire.Instance.Write(writer, m.Deps);
                    break;
                case Message.PreAcceptOk m:
                    Head(writer, 2, m.Id);
                    DependenciesWire.Instance.Write(writer, m.Deps);
                    break;
                case Message.Accept m:
                    Head(writer, 3, m.Id, m.Ballot);
                    BatchWire.Instance.Write(writer, m.Batch);
                    DependenciesWire.Instance.Write(writer, m.Deps);
                    break;
                case Message.AcceptOk m:
                    Head(writer, 4, m.Id, m.Ballot);
                    break;
                case Message.Commit m:
                    Head(writer, 5, m.Id);
                    BatchWire.Instance.Write(writer, m.Batch);
                    DependenciesWire.Instance.Write(writer, m.Deps);
                    break;
                case Message.Progress m:
                    writer.Byte(12);
                    DependenciesWire.Instance.Write(writer, m.Executed);
                    writer.Bool(m.Asks);
                    break;
                case Message.Fetch m:
                    writer.Byte(13);
                    DependenciesWire.Instance.Write(writer, m.Committed);
                    break;
                default:
                    WriteRecovery(writer, value);
                    break;
            }
        }

        public Message? Read(ref CodecReader reader)
        {
            var kind = reader.Byte();
            return kind switch
            {
                12 => new Message.Progress(ReadDeps(ref reader), reader.Bool()),
                13 => new Message.Fetch(ReadDeps(ref reader)),
                _ => Read(kind, ReadId(ref reader), ref reader),
            };
        }

        private static void WriteRecovery(CodecWriter writer, Message value)
        {
            switch (value)
            {
                case Message.Recover m:
                    Head(writer, 6, m.Id, m.Ballot);
                    break;
                case Message.RecoverOk m:
                    Head(writer, 7, m.Id, m.Ballot);
                    writer.Byte((byte)m.Phase);
                    writer.Ballot(m.Accepted);
                    WriteOptional(writer, m.Batch, BatchWire.Instance);
                    WriteOptional(writer, m.Deps, DependenciesWire.Instance);
                    WriteOptional(writer, m.InitialDeps, DependenciesWire.Instance);
                    break;
                case Message.Validate m:
                    Head(writer, 8, m.Id, m.Ballot);
                    BatchWire.Instance.Write(writer, m.Batch);
                    DependenciesWire.Instance.Write(writer, m.Deps);
                    break;
                case Message.ValidateOk m:
                    Head(writer, 9, m.Id, m.Ballot);
                    writer.Many(m.Conflicts, WriteConflict);
                    break;
                case Message.Waiting m:
                    Head(writer, 10, m.Id);
                    writer.Int(m.Unchanged);
                    break;
                case Message.Nack m:
                    Head(writer, 11, m.Id, m.Joined);
                    break;
                default:
                    Invariant.Check(false, "EveryMessageHasAWireForm");
                    break;
            }
        }

        private static Message? Read(byte kind, InstanceId id, ref CodecReader reader) => kind switch
        {
            1 => new Message.PreAccept(id, ReadBatch(ref reader), ReadDeps(ref reader)),
            2 => new Message.PreAcceptOk(id, ReadDeps(ref reader)),
            3 => new Message.Accept(id, reader.Ballot(), ReadBatch(ref reader), ReadDeps(ref reader)),
            4 => new Message.AcceptOk(id, reader.Ballot()),
            5 => new Message.Commit(id, ReadBatch(ref reader), ReadDeps(ref reader)),
            6 => new Message.Recover(id, reader.Ballot()),
            7 => new Message.RecoverOk(
                id,
                reader.Ballot(),
                (Phase)reader.Byte(),
                reader.Ballot(),
                ReadOptional(ref reader, BatchWire.Instance),
                ReadOptional(ref reader, DependenciesWire.Instance),
                ReadOptional(ref reader, DependenciesWire.Instance)),
            8 => new Message.Validate(id, reader.Ballot(), ReadBatch(ref reader), ReadDeps(ref reader)),
            9 => new Message.ValidateOk(id, reader.Ballot(), reader.Many(ReadConflict)),
            10 => new Message.Waiting(id, reader.Int()),
            11 => new Message.Nack(id, reader.Ballot()),
            _ => null,
        };
    }

    /// <summary>The binary form of records.</summary>
    public sealed class RecordWire : IWire<Record>
    {
        /// <exception cref="InvariantViolation">A record case has no binary form.</exception>
        public void Write(CodecWriter writer, Record value)
        {
            switch (value)
            {
                case Record.PreAccepted r:
                    Head(writer, 1, r.Id);
                    BatchWire.Instance.Write(writer, r.Batch);
                    DependenciesWire.Instance.Write(writer, r.InitialDeps);
                    DependenciesWire.Instance.Write(writer, r.Deps);
                    break;
                case Record.Joined r:
                    Head(writer, 2, r.Id, r.Ballot);
                    break;
                case Record.Accepted r:
                    Head(writer, 3, r.Id, r.Ballot);
                    BatchWire.Instance.Write(writer, r.Batch);
                    DependenciesWire.Instance.Write(writer, r.Deps);
                    break;
                case Record.Validated r:
                    Head(writer, 4, r.Id);
                    BatchWire.Instance.Write(writer, r.Batch);
                    DependenciesWire.Instance.Write(writer, r.InitialDeps);
                    break;
                case Record.Committed r:
                    Head(writer, 5, r.Id);
                    BatchWire.Instance.Write(writer, r.Batch);
                    DependenciesWire.Instance.Write(writer, r.Deps);
                    break;
                case Record.Saved r:
                    writer.Byte(6);
                    writer.Bytes(r.State.Span);
                    break;
                default:
                    Invariant.Check(false, "EveryRecordHasAWireForm");
                    break;
            }
        }

        public Record? Read(ref CodecReader reader)
        {
            var kind = reader.Byte();
            if (kind == 6)
            {
                return new Record.Saved(reader.Bytes());
            }

            var id = ReadId(ref reader);
            return kind switch
            {
                1 => new Record.PreAccepted(id, ReadBatch(ref reader), ReadDeps(ref reader), ReadDeps(ref reader)),
                2 => new Record.Joined(id, reader.Ballot()),
                3 => new Record.Accepted(id, reader.Ballot(), ReadBatch(ref reader), ReadDeps(ref reader)),
                4 => new Record.Validated(id, ReadBatch(ref reader), ReadDeps(ref reader)),
                5 => new Record.Committed(id, ReadBatch(ref reader), ReadDeps(ref reader)),
                _ => null,
            };
        }
    }

    private sealed class DependenciesWire : IWire<Dependencies>
    {
        public static readonly DependenciesWire Instance = new();

        public void Write(CodecWriter writer, Dependencies value)
        {
            writer.Byte((byte)value.Count);
            for (var column = 0; column < value.Count; column++)
            {
                writer.Signed(value[column]);
            }
        }

        public Dependencies Read(ref CodecReader reader)
        {
            var count = reader.Byte();
            if (count > 7)
            {
                reader.Fail();
                count = 0;
            }

            Span<long> counters = stackalloc long[7];
            for (var column = 0; column < count; column++)
            {
                counters[column] = reader.Signed();
            }

            return Dependencies.Of(counters[..count]);
        }
    }

    private sealed class BatchWire : IWire<Batch>
    {
        public static readonly BatchWire Instance = new();

        public void Write(CodecWriter writer, Batch value)
        {
            writer.Unsigned((ulong)value.Commands.Length);
            foreach (ref readonly var command in value.Commands)
            {
                writer.Signed(command.Session);
                writer.Signed(command.Number);
                writer.Bytes(command.Operation.Span);
            }
        }

        public Batch Read(ref CodecReader reader)
        {
            var count = reader.Count();
            if (count == 0)
            {
                return Batch.Nop;
            }

            var commands = new ClientCommand[count];
            for (var index = 0; index < count && !reader.Failed; index++)
            {
                commands[index] = new ClientCommand(reader.Signed(), reader.Signed(), reader.Bytes());
            }

            return new Batch(commands);
        }
    }

    private static void Head(CodecWriter writer, byte kind, InstanceId id)
    {
        writer.Byte(kind);
        writer.Node(id.Replica);
        writer.Signed(id.Number);
    }

    private static void Head(CodecWriter writer, byte kind, InstanceId id, Ballot ballot)
    {
        Head(writer, kind, id);
        writer.Ballot(ballot);
    }

    private static void WriteOptional<T>(CodecWriter writer, T? value, IWire<T> wire)
        where T : class
    {
        writer.Bool(value is not null);
        if (value is not null)
        {
            wire.Write(writer, value);
        }
    }

    private static T? ReadOptional<T>(ref CodecReader reader, IWire<T> wire)
        where T : class => reader.Bool() ? wire.Read(ref reader) : null;

    private static void WriteConflict(CodecWriter writer, Conflict conflict)
    {
        writer.Node(conflict.Id.Replica);
        writer.Signed(conflict.Id.Number);
        writer.Bool(conflict.IsCommitted);
    }

    private static Conflict ReadConflict(ref CodecReader reader) => new(ReadId(ref reader), reader.Bool());

    private static InstanceId ReadId(ref CodecReader reader) => new(reader.Node(), reader.Signed());

    private static Batch ReadBatch(ref CodecReader reader) => BatchWire.Instance.Read(ref reader);

    private static Dependencies ReadDeps(ref CodecReader reader) => DependenciesWire.Instance.Read(ref reader);
}
