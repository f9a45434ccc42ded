import Acquisition
import ArgumentParser
import Dashboard
import Foundation
import Ledger
import Plate
import Reporting
import Training

/// What commands take that look into the output folder of `watch`.
struct LedgerOptions: ParsableArguments {
    @Argument(help: "The output folder of `autoqc watch`.")
    var out: String

    var tree: OutputTree { OutputTree(root: URL(filePath: out).standardizedFileURL.path) }

    /// The ledger, to read.
    func open() throws -> FrameLedger {
        guard FileManager.default.fileExists(atPath: tree.ledger) else {
            throw DataError("\(out): has no ledger; name the output folder of `autoqc watch`")
        }
        return try FrameLedger(reading: tree.ledger)
    }
}

/// Which folders and which names: those of the daemon's last start, unless told otherwise.
struct WatchedOptions: ParsableArguments {
    @Option(help: "How file names tell run, well and frame (default: as the daemon was told).")
    var pattern: String?
    @Option(
        name: .long,
        parsing: .upToNextOption,
        help: "The watched folders (default: as the daemon was told)."
    )
    var folders: [String] = []

    /// Both, as given here or noted in the ledger.
    func resolve(_ ledger: FrameLedger) throws -> (folders: [String], pattern: FramePattern) {
        let last = try ledger.sessions().last
        let folders = folders.map { URL(filePath: $0).standardizedFileURL.path }
        let known = folders.isEmpty ? last?.folders ?? [] : folders
        guard !known.isEmpty else {
            throw DataError(
                "\(ledger.path) does not say which folders were watched, as it is from before it noted that; name them "
                    + "with --folders"
            )
        }
        return (known, try FramePattern(pattern ?? last?.pattern ?? FramePattern.standard))
    }
}

/// How the lenses stand, for commands that look at each of them.
struct LensOptions: ParsableArguments {
    @Option(help: "Rows of the lenses that move over the plate together.")
    var lensRows = 4
    @Option(help: "Columns of the lenses.")
    var lensColumns = 4

    func validate() throws {
        guard (1...32).contains(lensRows), (1...32).contains(lensColumns) else {
            throw ValidationError("--lens-rows and --lens-columns are from 1 to 32")
        }
    }

    /// How each lens did in each run of a ledger.
    func trend(of ledger: FrameLedger) throws -> LensTrend {
        try LensHistory(ledger: ledger, rules: rules).trend()
    }

    var rules: PlateRules { PlateRules(lensRows: lensRows, lensColumns: lensColumns) }
}
