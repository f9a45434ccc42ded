import GRDB
package import Plate

extension FrameLedger {
    /// Files of frames that were judged normal in a normal well: some of them, spread evenly over wells and time, and the
    /// same ones each time.
    package func normalFiles(atMost most: Int) throws(LedgerError) -> [FrameSource] {
        precondition(most > 0, "\(most) files")
        return try read { database in
            let normal =
                "state = 'scored' AND verdict = 'normal' AND well_faulty = 0 AND pages = 1"
            let all = try Int.fetchOne(database, sql: "SELECT count(*) FROM frames WHERE \(normal)") ?? 0
            // Wells take turns: every n-th frame could be of one well. Knuth's multiplier scatters them.
            let share = min(1, Double(most) / Double(max(all, 1)))
            return try Row.fetchAll(
                database,
                sql: """
                    \(FrameRow.sourceSelection)
                    WHERE \(normal) AND (sequence * 2654435761) % 4294967296 < ? ORDER BY sequence LIMIT ?
                    """,
                arguments: [Int64(share * 4_294_967_296), most]
            ).map(FrameRow.source(from:))
        }
    }
}
