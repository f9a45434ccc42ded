import GRDB
package import Plate

extension FrameLedger {
    /// A frame that was judged normal, and where it lies.
    package struct NormalFrame: Sendable, Equatable {
        /// Which page of which file.
        package let key: FrameKey
        /// What its name says.
        package let frame: FrameID

        /// Gathers the two.
        package init(key: FrameKey, frame: FrameID) {
            (self.key, self.frame) = (key, frame)
        }
    }

    /// Frames among the last outcomes that this model judged normal in a normal well; the latest first.
    package func recentNormalFrames(model: String, within outcomes: Int = 4096) throws(LedgerError)
        -> [NormalFrame]
    {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT roots.path AS root, frames.path AS path, page, run, well, frame
                    FROM frames JOIN roots ON roots.id = root
                    WHERE sequence > (SELECT max(sequence) FROM frames) - ? AND state = 'scored'
                    AND verdict = 'normal' AND well_faulty = 0 AND model = ?
                    ORDER BY sequence DESC
                    """,
                arguments: [outcomes, model]
            ).compactMap { row in
                guard let well = Well(row["well"] as String) else { return nil }
                return NormalFrame(
                    key: FrameKey(root: row["root"], path: row["path"], page: row["page"]),
                    frame: FrameID(run: row["run"], well: well, index: row["frame"])
                )
            }
        }
    }
}
