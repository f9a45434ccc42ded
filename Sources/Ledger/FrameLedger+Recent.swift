import GRDB
package import Plate

extension FrameLedger {
    /// Frames among the last outcomes that this model judged normal in a normal well; the latest first.
    package func recentNormalFrames(model: String, within outcomes: Int = 4096) throws(LedgerError)
        -> [LocatedFrame]
    {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    \(FrameRow.sourceSelection)
                    WHERE sequence > (SELECT max(sequence) FROM frames) - ? AND state = 'scored'
                    AND verdict = 'normal' AND well_faulty = 0 AND model = ?
                    ORDER BY sequence DESC
                    """,
                arguments: [outcomes, model]
            ).compactMap { row in
                FrameRow.frame(from: row).map { LocatedFrame(source: FrameRow.source(from: row), frame: $0) }
            }
        }
    }
}
