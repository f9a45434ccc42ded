import Acquisition
import ArgumentParser
import Auditing
import Detection
import Foundation
import Ledger
import Logging
import Monitoring
import Plate
import Reporting
import Synchronization
import Systemd
import Tables
import Tensors
import Training

/// Options of `autoqc score` for archives and pipelines.
struct ArchiveOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Write the rows into DIR/frames.csv, masks, score maps and alarm logs beside it as `watch` does, and go on where an earlier run stopped.",
            valueName: "DIR"
        ),
        completion: .directory
    )
    var out: String?
    @Option(
        help: ArgumentHelp(
            "With --out: judge part I of N (3/16), the wells that fall to it by a hash of run and well.",
            valueName: "I/N"
        ),
        transform: Self.shard
    )
    var shard: Shard?
    @Option(
        help: ArgumentHelp("Read paths from FILE, one a line; - is standard input.", valueName: "FILE"),
        completion: .file()
    )
    var filesFrom: String?
    @Flag(help: "Say nothing but errors.")
    var quiet = false
    @Flag(help: "Exit with 3 where a frame is faulty.")
    var failOnFaulty = false

    private static let shard: @Sendable (String) throws -> Shard = { text in
        guard let shard = Shard(text) else {
            throw ValidationError("write I/N, as 3/16 for the third of 16 parts")
        }
        return shard
    }

    private static let standardInput = "-"

    /// The paths of the command line and those of lists; with --out, folders stand for themselves.
    func paths(_ named: [String]) throws -> [String] {
        let files = named.filter { $0 != Self.standardInput }
        let lists = [filesFrom, files.count < named.count ? Self.standardInput : nil].compactMap { $0 }
        let found =
            try out == nil
            ? FramePaths.all(files)
            : files.flatMap { ArchiveListing.isFolder($0) ? [$0] : try FramePaths.all([$0]) }
        return try found + Set(lists).sorted().flatMap(Self.paths(listedIn:))
    }

    private static func paths(listedIn list: String) throws -> [String] {
        let data =
            list == standardInput
            ? FileHandle.standardInput.readDataToEndOfFile() : try Data(contentsOf: URL(filePath: list))
        guard let text = String(validating: data, as: UTF8.self) else {
            throw DataError("\(list): is not UTF-8; write one path a line")
        }
        return text.split(whereSeparator: \.isNewline).map(String.init)
    }
}

/// Judges an archive into a folder: what `autoqc score --out` does.
struct ArchiveScoring {
    let out: String
    let options: ArchiveOptions
    let detector: Detector
    let modelPath: String
    let pattern: FramePattern
    let choice: PlaneChoice
    let form: TableForm

    /// Judges what lies at the paths, and writes the table; ends the program with a status where not all is well.
    func run(_ paths: [String]) throws {
        let interruption = Interruption()
        let tree = LedgerOptions.tree(out)
        let shard = options.shard ?? .whole
        let listing = ArchiveListing(paths, pattern: pattern, choice: choice, shard: shard, output: tree.root)
        for (path, reason) in listing.refused.prefix(5) { Terminal.note("\(path): \(reason)") }
        if listing.refused.count > 5 {
            Terminal.note("\(listing.refused.count - 5) more files are passed over")
        }
        guard listing.frames > 0 else {
            Terminal.error(
                "Error: no frame of a well among \(paths.prefix(3).joined(separator: ", ")); check paths and --pattern"
            )
            throw ExitCode(ExitStatus.noInput)
        }
        ServiceLogging.bootstrap(level: options.quiet ? .error : .warning)
        defer { ServiceLogging.flush() }
        let all = listing.wells.reduce(0) { $0 + $1.count }
        let terminal = Mutex(Terminal())
        let summary = try ExitStatus.exiting(EXIT_FAILURE) {
            try ArchiveRun(
                tree,
                ArchiveRun.Settings(
                    judge: detector,
                    modelPath: modelPath,
                    pattern: pattern,
                    choice: choice,
                    // A reference model keeps all cores busy with one frame.
                    threads: detector.description.realtime == nil ? 1 : Compute.threads
                ),
                logger: Logger(label: "autoqc"),
                isStopping: { interruption.isRequested }
            ).judge(listing) { done in
                guard Terminal.isShown else { return }
                terminal.withLock { $0.progress("\(done) of \(all) frames", isLast: done == all) }
            }
        }
        let ledger = try FrameLedger(reading: tree.ledger)
        defer { try? ledger.close() }
        let totals = try FrameTable.write(form, of: ledger, into: tree)
        let counts = summary.counts
        Terminal.note(
            "\(tree.frames(ending: form.ending)): \(totals.words); judged now \(counts.judged), known before \(counts.known)"
        )
        for path in summary.unreached.prefix(5) {
            Terminal.note("\(path): could not be reached; it has no row, and the same command takes it up")
        }
        if summary.unreached.count > 5 {
            Terminal.note("\(summary.unreached.count - 5) more files could not be reached")
        }
        if let status = interruption.status, summary.isStopped { throw ExitCode(status) }
        guard summary.unreached.isEmpty, totals.unreadable == 0 else { throw ExitCode(ExitStatus.unreadable) }
        if options.failOnFaulty, totals.faulty > 0 { throw ExitCode(ExitStatus.faulty) }
    }
}
