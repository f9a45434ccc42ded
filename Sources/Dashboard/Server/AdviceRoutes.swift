import Foundation
import Hummingbird
import Ledger
import Plate
import Reporting

/// What the microscope is advised to do, and the answers to that.
struct AdviceRoutes: Sendable {
    let site: Site

    func add(to router: Router<Routes.Context>) {
        router.get("/api/v1/advice") { request, _ in
            let query = request.uri.queryParameters
            let (run, state) = (query.get("run"), try Self.state(query.get("state")))
            return try await site.answer {
                do {
                    return try await site.ask { try $0.advice(run: run, state: state) }
                } catch let error as LedgerError where error.code == .notMade {
                    return [AdviceRecord]()
                }
            }
        }
        router.post("/api/v1/advice/{id}") { request, context in
            try await answer(request, id: context.parameters.get("id") ?? "")
        }
    }

    private static func state(_ text: String?) throws -> Advice.State? {
        guard let text else { return nil }
        guard let state = Advice.State(rawValue: text) else {
            let names = Advice.State.allCases.map(\.rawValue).joined(separator: ", ")
            throw HTTPError(.badRequest, message: "there is no state \(text); it is one of \(names)")
        }
        return state
    }

    private func answer(_ request: Request, id: String) async throws -> Response {
        guard site.mayDecide, site.answers.isWritable else {
            return .problem(
                .conflict,
                "this page only reads: it was started with --read-only, or may not write advice.jsonl of the output folder"
            )
        }
        let body = try await request.body.collect(upTo: AdviceReply.longest)
        let answer: Advice.Answer
        do {
            answer = try AdviceReply.answer(body.readableBytesView, at: .now)
        } catch {
            return .problem(.badRequest, "\(error)")
        }
        let answers = site.answers
        let outcome = try await site.ask { reader in
            try reader.ledger.advice(id: id).map { try answers.answer($0, answer) }
        }
        guard let (advice, isTaken) = outcome else {
            return .problem(.notFound, "there is no advice \(id); /api/v1/advice lists all")
        }
        guard isTaken else {
            let by = advice.answer.map { " by \($0.by) since \($0.at.iso8601)" } ?? ""
            return .problem(
                .conflict,
                "the advice is \(advice.state.rawValue)\(by) and cannot be \(answer.state.rawValue) any more"
            )
        }
        return Response(
            status: .created,
            type: "application/json; charset=utf-8",
            bytes: try Answer.encode(AdviceRecord(advice))
        )
    }
}

extension PlateReader {
    /// Advice with the answers that the daemon has not seen yet, in the order in which it was given.
    func advice(run: String?, state: Advice.State?) throws -> [AdviceRecord] {
        try answers.following(ledger.advice(run: run)).filter { (state ?? $0.state) == $0.state }
            .map { AdviceRecord($0) }
    }
}
