package import Acquisition
package import Ledger

/// Waits until everything that lay in the folders at one moment has its outcome.
package struct Barrier {
    /// Files without an outcome so far.
    package private(set) var waiting: [FrameListing.File]

    /// Files that are asked for at once.
    private static let batch = 512

    /// Notes what lies there now.
    package init(_ listing: FrameListing) {
        var files: [FrameListing.File] = []
        listing.forEach { entry in
            if case .frame(let file) = entry { files.append(file) }
        }
        waiting = files
    }

    /// Asks the ledger again; what is gone by now is waited for no more, what was written anew is waited for as it is.
    package mutating func look(into ledger: FrameLedger) throws(LedgerError) {
        var left: [FrameListing.File] = []
        for start in stride(from: 0, to: waiting.count, by: Self.batch) {
            let files = waiting[start..<min(start + Self.batch, waiting.count)].compactMap { file in
                FrameListing.identity(of: file.path).map { identity in
                    FrameListing.File(
                        root: file.root,
                        relativePath: file.relativePath,
                        frame: file.frame,
                        identity: identity
                    )
                }
            }
            let settled = try ledger.settled(files.map(\.ledgerFile))
            left += files.filter { !settled.contains($0.ledgerFile) }
        }
        waiting = left
    }
}

extension FrameListing.File {
    fileprivate var ledgerFile: FrameLedger.File {
        FrameLedger.File(root: root, path: relativePath, identity: identity)
    }
}
