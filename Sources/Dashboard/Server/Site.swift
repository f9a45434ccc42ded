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
}
