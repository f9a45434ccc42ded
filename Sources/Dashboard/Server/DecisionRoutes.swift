import Foundation
import HTTPTypes
import Hummingbird
import Ledger
import Plate
import Reporting

/// What reviewers decided, and what they decide.
struct DecisionRoutes: Sendable {
    let site: Site

    private static let path: RouterPath = "/api/v1/runs/{run}/decisions"
    /// Longest request, in bytes.
    private static let longest = 16 << 10

    /// A decision as the page sends it.
    private struct Wish: Decodable {
        let well: String
        let frame: Int?
        let decision: String
        let note: String?
        let reviewer: String?
    }

    func add(to router: Router<Routes.Context>) {
        router.get(Self.path) { _, context in
            let run = try Routes.run(context)
            let isOpen = site.canDecide
            return try await site.answer(about: run) { reader in
                Answer.Decisions(
                    decisions: try reader.ledger.decisions(run: run).map { Answer.Decision($0) },
                    isOpen: isOpen
                )
            }
        }
        router.post(Self.path) { request, context in try await decide(request, run: Routes.run(context)) }
    }

    private func decide(_ request: Request, run: String) async throws -> Response {
        guard site.canDecide else {
            return .problem(
                .conflict,
                "this page only reads; decide on the page of the daemon that writes the ledger"
            )
        }
        let body = try await request.body.collect(upTo: Self.longest)
        guard let wish = try? JSONDecoder().decode(Wish.self, from: Data(body.readableBytesView)),
            let well = Well(wish.well), let kind = Decision.Kind(rawValue: wish.decision)
        else {
            return .problem(
                .badRequest,
                "send well, frame or none, decision (\(Decision.Kind.allCases.map(\.rawValue).joined(separator: ", "))), note, reviewer"
            )
        }
        let decision = Decision(
            run: run,
            well: well,
            frame: wish.frame,
            kind: kind,
            note: wish.note ?? "",
            reviewer: wish.reviewer ?? "",
            decided: .now
        )
        let isKnown = try await site.ask { reader in
            guard try reader.knows(run, well, frame: wish.frame) else { return false }
            try reader.ledger.add(decision)
            return true
        }
        guard isKnown else { return .problem(.notFound, "no such frame was judged") }
        return Response(
            status: .created,
            type: "application/json; charset=utf-8",
            bytes: try Answer.encode(Answer.Decision(decision))
        )
    }
}

extension PlateReader {
    /// Whether a frame, or any frame of a well, has an outcome.
    func knows(_ run: String, _ well: Well, frame: Int?) throws -> Bool {
        if let frame { return try record(FrameID(run: run, well: well, index: frame)) != nil }
        return try !ledger.records(of: well, run: run, FrameLedger.Selection(limit: 1)).isEmpty
    }
}
