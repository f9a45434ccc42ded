import Acquisition
import ArgumentParser
import Dashboard
import Foundation
import Ledger
import Plate
import Reporting
import Rules
import Training

/// Options of commands that read the output folder of `watch`.
struct LedgerOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp("The output folder of `autoqc watch`.", valueName: "DIR"),
        completion: .directory
    )
    var out: String

    var tree: OutputTree { Self.tree(out) }

    func open() throws -> FrameLedger { try Self.open(out) }

    static func tree(_ out: String) -> OutputTree {
        OutputTree(root: URL(filePath: out).standardizedFileURL.path)
    }

    /// The ledger of an output folder, to read; throws where there is none.
    static func open(_ out: String) throws -> FrameLedger {
        try requireLedger(in: out)
        return try FrameLedger(reading: tree(out).ledger)
    }

    /// Reads the name of a well, as the `transform` of an option.
    static let well: @Sendable (String) throws -> Well = { name in
        guard let well = Well(name) else { throw ValidationError("\(name) is no well; write B01") }
        return well
    }

    /// Throws where the ledger has no such run, or no such well in it, and says which there are.
    static func check(run: String?, well: Well? = nil, in ledger: FrameLedger) throws {
        let runs = try ledger.runs().map(\.run).sorted()
        if let run, !runs.contains(run) {
            throw DataError("\(ledger.path): there is no run \(run); \(known(runs, "runs"))")
        }
        guard let well else { return }
        let wells = try Set((run.map { [$0] } ?? runs).flatMap { try ledger.wells(of: $0).map(\.well) })
            .sorted()
        guard wells.contains(well) else {
            let place = run.map { "in run \($0)" } ?? "in any run"
            throw DataError(
                "\(ledger.path): there is no well \(well) \(place); \(known(wells.map(\.description), "wells"))"
            )
        }
    }

    /// The run that was named, or the one recorded last.
    static func run(_ named: String?, in ledger: FrameLedger) throws -> String {
        if let named { return named }
        guard let run = try ledger.runs().first?.run else {
            throw DataError("\(ledger.path): no frame has an outcome yet")
        }
        return run
    }

    private static func known(_ names: [String], _ what: String) -> String {
        guard !names.isEmpty else { return "no frame has an outcome yet" }
        let more = names.count > 12 ? " and \(names.count - 12) more" : ""
        return "the \(what) are " + names.prefix(12).map(printableName).joined(separator: ", ") + more
    }

    /// Throws where an output folder has no ledger.
    static func requireLedger(in out: String) throws {
        guard FileManager.default.fileExists(atPath: tree(out).ledger) else {
            throw DataError("\(out): has no ledger; name the output folder of `autoqc watch`")
        }
    }
}

/// Options of commands that say which frames can be used.
struct UsableOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Fewest good frames of an interval of usable frames.", valueName: "N"),
        transform: NumberOption.within(1...NumberOption.frames.upperBound)
    )
    var shortest = UsableFrames.Rule().shortest
    @Option(
        help: ArgumentHelp(
            "Most flagged, unreadable or missing frames in a row that do not end an interval (default: 1, with --stacks 0).",
            valueName: "N"
        ),
        transform: NumberOption.within(NumberOption.frames)
    )
    var bridge: Int?
    @Flag(help: "Suspect frames are not usable.")
    var withoutSuspects = false

    /// What makes an interval; `bridged` where the user does not say how many bad frames are.
    func rule(bridged: Int = UsableFrames.Rule().bridged) -> UsableFrames.Rule {
        var rule = UsableFrames.Rule()
        (rule.shortest, rule.bridged, rule.suspectsAreGood) = (shortest, bridge ?? bridged, !withoutSuspects)
        return rule
    }
}

/// Watched folders and names of files: those of the daemon's last start, unless given.
struct WatchedOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Pattern of file names, or the name of a known one (default: that of the daemon's configuration).",
            valueName: "PATTERN"
        )
    )
    var pattern: String?
    @Option(
        name: .long,
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "The watched folders (default: as in the daemon's configuration).",
            valueName: "DIR"
        ),
        completion: .directory
    )
    var folders: [String] = []

    /// Both, as given here or noted in the ledger.
    func resolve(_ ledger: FrameLedger) throws -> (folders: [String], pattern: FramePattern) {
        let last = try ledger.sessions().last
        let folders = folders.map { URL(filePath: $0).standardizedFileURL.path }
        let known = folders.isEmpty ? last?.folders ?? [] : folders
        guard !known.isEmpty else {
            throw DataError(
                "\(ledger.path) does not say which folders were watched; name them with --folders"
            )
        }
        return (known, try FramePattern(pattern ?? last?.pattern ?? FramePattern.standard))
    }
}

/// Options of commands that look at each lens: how the lenses stand.
struct LensOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Rows of the lenses that move over the plate together.", valueName: "N"),
        transform: NumberOption.within(NumberOption.lenses)
    )
    var lensRows = 4
    @Option(
        help: ArgumentHelp("Columns of the lenses.", valueName: "N"),
        transform: NumberOption.within(NumberOption.lenses)
    )
    var lensColumns = 4

    /// How each lens did in each run of a ledger.
    func trend(of ledger: FrameLedger) throws -> LensTrend {
        try LensHistory(rules: rules).trend(of: ledger)
    }

    var rules: PlateRules { PlateRules(lensRows: lensRows, lensColumns: lensColumns) }
}
