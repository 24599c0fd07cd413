using Synod.Core;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Scenarios.Byzantine;

/// <summary>pbft.md §8, 2: a primary that gives one slot to two requests. At most one of them can prepare, and a view change settles it.</summary>
public sealed class PbftEquivocatingPrimary : Scenario
{
    public override string Name => "pbft-equivocating-primary";

    public override string Title => "The primary tells half of the replicas one request and half another for the same slot: no two execute differently.";

    public override Promise Promise { get; } =
        Promise.That(Pbft.Agreement, Pbft.CorrectIsNotAccused, "ClientsAreServed", "ViewChanged", "BothWereProposed");

    protected override void Play(Report report, ulong seed)
    {
        var cast = new PbftCast(seed, 4, ["X", "Y"], new Dictionary<int, Func<PbftCast, Adversary<Pbft.Message>>> { [0] = cast => new TwoFaced(cast) });
        var stage = cast.Stage;
        var told = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        stage.Sent = (_, to, message) =>
        {
            if (message is Pbft.Message.PrePrepare { View: 0 } proposal)
            {
                var request = new Key(proposal.Batch.Requests[0].Operation).ToString();
                (told.TryGetValue(request, out var list) ? list : told[request] = []).Add(stage.NameOf(to));
            }
        };
        cast.Invoke(cast.Clients[0], "x+", tag: 1);
        cast.Invoke(cast.Clients[1], "y+", tag: 2);
        if (!report.Guard(() => stage.RunUntil(() => stage.Answers.Count == 2, Duration.FromSeconds(20))))
        {
            return;
        }

        var at = stage.Now;
        report.Guard(() => stage.RunUntil(at + Duration.FromMilliseconds(100)));
        report.Show("Four replicas, A two-faced and the primary of view 0", stage.History);
        report.Tell($"A, the primary, holds the requests x+ and y+. For slot #1 it proposes {string.Join(" and ", told.Select(item => $"{item.Key} to {string.Join(", ", item.Value)}"))}, each with a valid signature.");
        report.Tell($"A replica prepares with three equal votes of four, so at most one of the two can; and A's silence keeps even that one from committing.");
        report.Tell($"The clients ask everybody, the replicas lose patience after {Report.Ms(cast.Options.RequestTimeout)}, and view {cast.Correct.Max(replica => replica.View)} begins with what had prepared.");
        report.Tell($"Both clients have f+1 = 2 equal replies after {Report.Ms(at)}.");
        cast.Judge(report);
        report.Measure("BothWereProposed", told.Count == 2, $"{told.Count} different proposals for slot #1 of view 0");
        report.Liveness("ClientsAreServed", stage.Answers.Count == 2, $"{stage.Answers.Count} of 2 answered");
        report.Liveness("ViewChanged", cast.Correct.All(replica => replica.View > 0), $"views {string.Join(", ", cast.Correct.Select(replica => replica.View))}");
    }

    /// <summary>Waits for two requests, then proposes both for the first slot, to different replicas, and says nothing more.</summary>
    private sealed class TwoFaced(PbftCast cast) : Adversary<Pbft.Message>
    {
        private readonly List<Pbft.SignedRequest> _requests = [];

        public override bool OnReceive(NodeId from, Pbft.Message message, StepContext context, Action<NodeId, Pbft.Message> send)
        {
            if (message is Pbft.Message.Request request && !_requests.Contains(request.Signed) && _requests.Count < 2)
            {
                _requests.Add(request.Signed);
                if (_requests.Count == 2)
                {
                    send(cast.Replicas[1], Proposal(_requests[0]));
                    send(cast.Replicas[2], Proposal(_requests[1]));
                    send(cast.Replicas[3], Proposal(_requests[1]));
                }
            }

            return false;
        }

        public override void OnSend(NodeId to, Pbft.Message message, StepContext context, Action<NodeId, Pbft.Message> send)
        {
        }

        private Pbft.Message.PrePrepare Proposal(Pbft.SignedRequest request) =>
            cast.Quartet.PrePrepare(cast.Replicas[0], 0, 1, new Pbft.Batch([request]));
    }
}
