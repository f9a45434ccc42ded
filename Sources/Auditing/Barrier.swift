package import Acquisition
package import Ledger
package import Plate

/// Waits until everything that lay in the folders at one moment has its outcome.
package struct Barrier {
    /// Files without an outcome so far.
    package private(set) var waiting: [LocatedFrame]

    /// Files that are asked for at once.
    private static let batch = 512

    /// Notes what lies there now.
    package init(_ listing: FrameListing) {
        var files: [LocatedFrame] = []
        listing.forEach { entry in
            if case .frame(let file) = entry { files.append(file) }
        }
        waiting = files
    }

    /// Asks the ledger again; what is gone by now is waited for no more, what was written anew is waited for as it is.
    package mutating func look(into ledger: FrameLedger) throws(LedgerError) {
        var left: [LocatedFrame] = []
        for start in stride(from: 0, to: waiting.count, by: Self.batch) {
            let files = waiting[start..<min(start + Self.batch, waiting.count)].compactMap { file in
                FrameListing.identity(of: file.source.absolutePath).map { identity in
                    LocatedFrame(
                        source: FrameSource(
                            root: file.source.root,
                            path: file.source.path,
                            identity: identity
                        ),
                        frame: file.frame
                    )
                }
            }
            let settled = try ledger.settled(files.map(\.source))
            left += files.filter { !settled.contains($0.source) }
        }
        waiting = left
    }
}
