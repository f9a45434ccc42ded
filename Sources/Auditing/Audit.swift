package import Acquisition
import Foundation
import Frames
package import Ledger
package import Plate
package import Reporting

/// Compares the ledger with the folders and the output folder: every file has its row, every row its file, every faulty
/// frame its mask and its alarm line, once.
///
/// Nothing is changed. Beside a running daemon, frames that it has at hand show as not judged.
package struct Audit {
    /// Which frames are looked at.
    package struct Scope: Sendable {
        /// The watched folders.
        package let folders: [String]
        /// How file names are read.
        package let pattern: FramePattern
        /// One run only; `nil` for all.
        package let run: String?
        /// A folder to compare with in place of the watched ones: a part of one of them, or a copy of what they held.
        package let against: String?

        /// Gathers a scope.
        package init(folders: [String], pattern: FramePattern, run: String? = nil, against: String? = nil) {
            self.folders = folders
            self.pattern = pattern
            self.run = run
            self.against = against
        }
    }

    private struct Found {
        let identity: FileIdentity
        /// Pages with an outcome for this content, and how many the file has as far as these know.
        var settled = 0
        var pages = 1
        /// Outcomes from when the file looked otherwise.
        var others: [FrameLedger.KnownPage] = []
    }

    /// A well of a run, as its alarm log is named.
    private struct WellKey: Hashable {
        let run: String
        let well: Well
    }

    /// A mask that somebody may be about to record is no older than this.
    private static let inTheMaking: TimeInterval = 60

    private let tree: OutputTree
    private let scope: Scope
    /// Whether the compared folder is a copy, whose files have other inodes and times.
    private let isCopy: Bool
    private var report = AuditReport()
    private var files: [ExactPath: Found] = [:]
    /// Contents by what a new name does not change.
    private var contents: Set<FileIdentity> = []
    /// Why files wait that the daemon left when it stopped.
    private var pending: [ExactPath: String] = [:]
    private var masks: [String: Set<String>] = [:]
    /// For each well what its log must say, and of how many files.
    private var expected: [WellKey: [Announcement: Int]] = [:]

    /// What an alarm log must say of a frame.
    private struct Announcement: Hashable {
        let event: Alarm.Event
        let view: FrameView
        let index: Int

        /// `FAULT of frame 3`, with the view where it is told.
        var words: String {
            "\(event.rawValue) of \(view == .only ? "" : "\(view.words), ")frame \(index)"
        }
    }

    private init(_ tree: OutputTree, _ scope: Scope) {
        self.tree = tree
        self.scope = scope
        isCopy =
            scope.against.map { against in !scope.folders.contains { Self.isInside(against, $0) } } ?? false
    }

    /// Looks at everything in the scope.
    package static func report(
        of ledger: FrameLedger,
        in tree: OutputTree,
        scope: Scope
    ) throws(LedgerError) -> AuditReport {
        var audit = Audit(tree, scope)
        audit.list()
        try ledger.forEach { audit.add($0) }
        for frame in try ledger.pending() { audit.add(frame) }
        audit.weighFiles()
        audit.checkMasks()
        audit.checkAlarms()
        return audit.report
    }

    private static func isInside(_ path: String, _ folder: String) -> Bool {
        ExactPath(path).isInside(
            ExactPath(folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder)
        )
    }

    private mutating func list() {
        let roots = isCopy ? [scope.against].compactMap(\.self) : scope.folders
        let listing = FrameListing(roots: roots, pattern: scope.pattern, excluded: [tree.root])
        listing.forEach { entry in
            switch entry {
            case .frame(let file):
                guard scope.run.map({ $0 == file.frame.run }) ?? true, isInScope(file.source.absolutePath),
                    let identity = file.source.identity
                else { return }
                files[ExactPath(isCopy ? file.source.path : file.source.absolutePath)] = Found(
                    identity: identity
                )
                contents.insert(identity.renamed)
            case .refused(let path, let reason):
                guard isInScope(path) else { return }
                report.notFrames += 1
                if FramePattern.mayBeFrame(path, refusedBecause: reason) { report.misfits += 1 }
            case .missing(let root): report.add(.folderMissing, root)
            }
        }
        report.files = files.count
    }

    private func isInScope(_ path: String) -> Bool {
        guard !isCopy, let against = scope.against else { return true }
        return Self.isInside(path, against)
    }

    private mutating func add(_ record: FrameRecord) {
        if let run = scope.run, record.frame?.run != run { return }
        report.rows[record.state.rawValue, default: 0] += 1
        // Names that are no frame's have no root.
        if !record.source.root.isEmpty { addFile(of: record) }
        guard let frame = record.frame else { return }
        let well = WellKey(run: frame.run, well: frame.well)
        // A well of which nothing must be said is looked at, too: what is said of it may be too much.
        if expected[well] == nil { expected[well] = [:] }
        switch record.outcome {
        case .judged(let judgement):
            guard judgement.verdict == .faulty else { return }
            report.faulty += 1
            expected[well, default: [:]][
                Announcement(event: .fault, view: frame.view, index: frame.index),
                default: 0
            ] += 1
            if let mask = judgement.maskPath { masks[frame.run, default: []].insert(mask) }
        case .quarantined:
            expected[well, default: [:]][
                Announcement(event: .unreadable, view: frame.view, index: frame.index),
                default: 0
            ] += 1
        case .skipped: break
        }
    }

    private mutating func add(_ frame: PendingFrame) {
        if let run = scope.run, frame.frame.run != run { return }
        let path = frame.source.absolutePath
        guard isInScope(path) else { return }
        report.rows["pending", default: 0] += 1
        let key = ExactPath(isCopy ? frame.source.path : path)
        pending[key] = "waits since \(frame.since.iso8601), as \(frame.reason)"
        if files[key] == nil { report.add(.fileMissing, path, "gone before it was judged") }
    }

    private mutating func addFile(of record: FrameRecord) {
        let (path, identity) = (record.source.absolutePath, record.source.identity)
        guard isInScope(path) else { return }
        let key = ExactPath(isCopy ? record.source.path : path)
        guard var file = files[key] else {
            // Renamed after it was judged: the content is there, and so is its row.
            if let identity, contents.contains(identity.renamed) { return }
            return report.add(.fileMissing, path, "judged \(record.judged.iso8601)")
        }
        let isSame = isCopy ? identity?.size == file.identity.size : identity == file.identity
        if isSame {
            file.settled += 1
            file.pages = max(file.pages, record.pages)
        } else {
            file.others.append(
                FrameLedger.KnownPage(
                    page: record.source.page,
                    isCurrent: false,
                    digest: record.digest,
                    pages: record.pages
                )
            )
        }
        files[key] = file
    }

    private mutating func weighFiles() {
        for (path, file) in files.sorted(by: { $0.key < $1.key }) {
            let isKept = file.settled == 0 && !isCopy && KeptContent.isWhole(file.others, of: path.text)
            if file.settled >= file.pages || isKept {
                report.accounted += 1
            } else if !file.others.isEmpty {
                report.add(.rewritten, path.text)
            } else {
                let pages = file.settled > 0 ? "\(file.settled) of \(file.pages) pages are judged" : nil
                report.add(.notJudged, path.text, pages ?? pending[path] ?? "")
            }
        }
    }

    private mutating func checkMasks() {
        let manager = FileManager.default
        for (run, expected) in masks.sorted(by: { $0.key < $1.key }) {
            for mask in expected.sorted() {
                let path = "\(tree.folder(run: run))/\(mask)"
                guard manager.fileExists(atPath: path) else {
                    report.add(.maskMissing, path)
                    continue
                }
                do {
                    switch try TIFFStructure.check(path: path, limits: .default) {
                    case .whole, .unfilled: report.masks += 1
                    case .partial(_, let reason): report.add(.maskDamaged, path, reason)
                    }
                } catch {
                    report.add(.maskDamaged, path, error.description)
                }
            }
        }
        for run in runs {
            let folder = "\(tree.folder(run: run))/masks"
            for name in (try? manager.contentsOfDirectory(atPath: folder))?.sorted() ?? [] {
                guard name.hasSuffix(".mask.tiff"), masks[run]?.contains("masks/\(name)") != true else {
                    continue
                }
                let path = "\(folder)/\(name)"
                let changed = try? manager.attributesOfItem(atPath: path)[.modificationDate] as? Date
                if let changed, -changed.timeIntervalSinceNow < Self.inTheMaking { continue }
                report.add(.maskUnknown, path)
            }
        }
    }

    private var runs: [String] { Set(expected.keys.map(\.run)).sorted() }

    private mutating func checkAlarms() {
        for (well, announcements) in expected.sorted(by: {
            ($0.key.run, $0.key.well) < ($1.key.run, $1.key.well)
        }) {
            let path = tree.alarmLog(run: well.run, well: well.well)
            let said = readLog(path, well)
            let missing = announcements.filter { said[$0.key, default: 0] < $0.value }
            for (announcement, files) in missing.sorted(by: { $0.key.index < $1.key.index }) {
                let lines = said[announcement, default: 0]
                let detail =
                    lines == 0
                    ? "no \(announcement.words)" : "\(announcement.words): \(lines) of \(files) files"
                report.add(.alarmMissing, path, detail)
            }
        }
    }

    /// How many lines there are for each announcement.
    private mutating func readLog(_ path: String, _ well: WellKey) -> [Announcement: Int] {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        var said: [Announcement: Set<String>] = [:]
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            .enumerated()
        {
            guard let alarm = AlarmLine.parse(line), alarm.frame.run == well.run,
                alarm.frame.well == well.well
            else {
                report.add(.lineDamaged, path, "line \(number + 1)")
                continue
            }
            guard alarm.event == .fault || alarm.event == .unreadable else { continue }
            let announcement = Announcement(
                event: alarm.event,
                view: alarm.frame.view,
                index: alarm.frame.index
            )
            // Another model, or another reason, is news about the same frame.
            if !said[announcement, default: []].insert(alarm.model + "\n" + (alarm.reason ?? "")).inserted {
                report.add(.alarmDoubled, path, announcement.words)
            }
        }
        return said.mapValues(\.count)
    }
}

/// Whether every frame is accounted for, and what is not as it should be.
package struct AuditReport: Sendable, Equatable, Encodable {
    /// What can be wrong, the most serious first.
    package enum Kind: String, Sendable, CaseIterable, Encodable {
        /// A watched folder is not there, so nothing is known of its files.
        case folderMissing = "folder-missing"
        /// A file has no outcome, or not for all of its pages.
        case notJudged = "not-judged"
        /// A file holds something else than what was judged.
        case rewritten
        /// A frame has an outcome but its file is gone.
        case fileMissing = "file-missing"
        /// The mask of a faulty frame is not there.
        case maskMissing = "mask-missing"
        /// The mask of a faulty frame is no whole TIFF file.
        case maskDamaged = "mask-damaged"
        /// A mask belongs to no frame of the ledger.
        case maskUnknown = "mask-unknown"
        /// A faulty or unreadable frame has no line in its well's alarm log.
        case alarmMissing = "alarm-missing"
        /// A frame was announced twice.
        case alarmDoubled = "alarm-doubled"
        /// A line of an alarm log is torn or forged.
        case lineDamaged = "line-damaged"

        /// What to do about it.
        package var remedy: String {
            switch self {
            case .folderMissing: "mount or restore the folder and audit again"
            case .notJudged: "let `autoqc watch` run on the folder; `autoqc sync` waits until it is done"
            case .rewritten: "let `autoqc watch` run on the folder: it judges the new content"
            case .fileMissing: "restore it from the microscope, or name where it was moved to with --against"
            case .maskMissing, .maskDamaged: "judge the frame again with `autoqc score --masks`"
            case .maskUnknown: "remove it, or restore the ledger that knows it"
            case .alarmMissing: "the ledger has the verdict: see `autoqc export`"
            case .alarmDoubled: "count the frame once"
            case .lineDamaged: "the ledger has the verdicts: see `autoqc export`"
            }
        }
    }

    /// One thing that is not as it should be.
    package struct Problem: Sendable, Equatable, Encodable {
        /// What is wrong.
        package let kind: Kind
        /// Path of the file, mask or log.
        package let subject: String
        /// A sentence with particulars; may be empty.
        package let detail: String
    }

    /// Files in the folders whose names are a frame's.
    package internal(set) var files = 0
    /// Of them, those with an outcome for every page with just the content they have.
    package internal(set) var accounted = 0
    /// Files in the folders that are no frames.
    package internal(set) var notFrames = 0
    /// Of them, those that may be frames whose names are not taken.
    package internal(set) var misfits = 0
    /// Rows of the ledger by state (`scored`, `quarantined`, `skipped`, `pending`).
    package internal(set) var rows: [String: Int] = [:]
    /// Of the scored ones, those that are faulty.
    package internal(set) var faulty = 0
    /// Masks that are there, whole, and belong to a frame.
    package internal(set) var masks = 0
    /// How many problems of each kind there are.
    package private(set) var counts: [String: Int] = [:]
    /// The first problems of each kind, `mostExamples` at most.
    package private(set) var problems: [Problem] = []

    /// How many problems of one kind are told one by one.
    package static let mostExamples = 100

    /// Whether nothing is wrong.
    package var isComplete: Bool { counts.isEmpty }

    /// The problems of one kind.
    package func count(of kind: Kind) -> Int { counts[kind.rawValue, default: 0] }

    mutating func add(_ kind: Kind, _ subject: String, _ detail: String = "") {
        counts[kind.rawValue, default: 0] += 1
        guard count(of: kind) <= Self.mostExamples else { return }
        problems.append(Problem(kind: kind, subject: subject, detail: detail))
    }
}

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
                    let (root, path) = (file.source.root, file.source.path)
                    let source = FrameSource(root: root, path: path, identity: identity)
                    return LocatedFrame(source: source, frame: file.frame)
                }
            }
            let settled = try ledger.settled(files.map(\.source))
            for file in files where !settled.contains(file.source) {
                let pages = try ledger.knownPages(of: file.source)
                if !KeptContent.isWhole(pages, of: file.source.absolutePath) { left.append(file) }
            }
        }
        waiting = left
    }
}

extension FileIdentity {
    /// The identity but for the time of change, which a new name sets.
    fileprivate var renamed: FileIdentity { FileIdentity(inode: inode, size: size, modified: modified) }
}
