import Hummingbird
import Ledger
import Reporting

/// What every request works with.
struct Site: Sendable {
    let reader: PlateReader
    let shelf = PictureShelf()
    /// For the ledger.
    let records = Worker(name: "autoqc.page")
    /// For the frames' files, which may lie on a share that hangs.
    let pictures = Worker(name: "autoqc.pictures")

    init(reader: PlateReader) {
        self.reader = reader
    }

    /// Whether decisions can be stored here.
    var canDecide: Bool { reader.ledger.isWritable }

    /// Asks the ledger.
    func ask<Value: Sendable>(_ body: @escaping @Sendable (PlateReader) throws -> Value) async throws -> Value
    {
        let reader = reader
        return try await records.run { try body(reader) }
    }

    /// The header of the page.
    func status() async throws -> Answer.Status {
        let canDecide = canDecide
        return try await ask { $0.status(canDecide: canDecide) }
    }

    /// Answers from the ledger about a run, in JSON; one that it does not know is 404.
    func answer(
        about run: String,
        _ body: @escaping @Sendable (PlateReader) throws -> any Encodable & Sendable
    ) async throws -> Response {
        try await answer(orElse: "there is no frame of a run \(run); /api/v1/runs lists the runs") {
            try await ask { reader in try reader.ledger.hasRun(run) ? try body(reader) : nil }
        }
    }

    /// Answers in JSON; nothing there is 404, too much asked for is 503.
    func answer(
        orElse sentence: String = "there is no such thing",
        _ body: () async throws -> (any Encodable & Sendable)?
    ) async throws -> Response {
        do {
            guard let value = try await body() else { return .problem(.notFound, sentence) }
            return Response(type: "application/json; charset=utf-8", bytes: try Answer.encode(value))
        } catch is Worker.Busy {
            return .problem(.serviceUnavailable, "more is asked for than is answered; try again")
        } catch let error as LedgerError {
            return .problem(.serviceUnavailable, "\(error)")
        }
    }
}
