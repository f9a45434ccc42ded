package import Acquisition
import Foundation
import Frames
package import Ledger
import Plate
package import Reporting

/// Holds the ledger against the folders and the output folder: every file has its row, every row its file, every faulty
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

    /// A file in the folders.
    private struct Found {
        let identity: FileIdentity
        /// Pages with an outcome for this content, and how many the file has as far as these know.
        var settled = 0
        var pages = 1
        /// Whether there is an outcome for another content.
        var isRewritten = false
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
    private var files: [String: Found] = [:]
    private var identities: Set<FileIdentity> = []
    /// Why files wait that the daemon left when it stopped.
    private var pending: [String: String] = [:]
    private var masks: [String: Set<String>] = [:]
    private var expected: [WellKey: Set<Announcement>] = [:]

    /// What an alarm log must say of a frame.
    private struct Announcement: Hashable {
        let event: Alarm.Event
        let index: Int
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
        try ledger.forEach { audit.take($0) }
        for frame in try ledger.pending() { audit.take(frame) }
        audit.weighFiles()
        audit.checkMasks()
        audit.checkAlarms()
        return audit.report
    }

    private static func isInside(_ path: String, _ folder: String) -> Bool {
        path == folder || path.hasPrefix(folder.hasSuffix("/") ? folder : folder + "/")
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
                files[isCopy ? file.source.path : file.source.absolutePath] = Found(identity: identity)
                identities.insert(identity)
            case .refused(let path, _): if isInScope(path) { report.notFrames += 1 }
            case .missing(let root): report.add(.folderMissing, root)
            }
        }
        report.files = files.count
    }

    private func isInScope(_ path: String) -> Bool {
        guard !isCopy, let against = scope.against else { return true }
        return Self.isInside(path, against)
    }

    private mutating func take(_ record: FrameRecord) {
        if let run = scope.run, record.frame?.run != run { return }
        report.rows[record.state.rawValue, default: 0] += 1
        // Names that are no frame's have no root.
        if !record.source.root.isEmpty { takeFile(record) }
        guard let frame = record.frame else { return }
        let well = WellKey(run: frame.run, well: frame.well)
        // A well of which nothing must be said is looked at, too: what is said of it may be too much.
        if expected[well] == nil { expected[well] = [] }
        switch record.outcome {
        case .judged(let judgement):
            guard judgement.verdict == .faulty else { return }
            report.faulty += 1
            expected[well, default: []].insert(Announcement(event: .fault, index: frame.index))
            if let mask = judgement.maskPath { masks[frame.run, default: []].insert(mask) }
        case .quarantined:
            expected[well, default: []].insert(Announcement(event: .unreadable, index: frame.index))
        case .skipped: break
        }
    }

    private mutating func take(_ frame: PendingFrame) {
        if let run = scope.run, frame.frame.run != run { return }
        let path = frame.source.absolutePath
        guard isInScope(path) else { return }
        report.rows["pending", default: 0] += 1
        let key = isCopy ? frame.source.path : path
        pending[key] = "waits since \(frame.since.iso8601), as \(frame.reason)"
        if files[key] == nil { report.add(.fileMissing, path, "gone before it was judged") }
    }

    private mutating func takeFile(_ record: FrameRecord) {
        let (path, identity) = (record.source.absolutePath, record.source.identity)
        guard isInScope(path) else { return }
        let key = isCopy ? record.source.path : path
        guard var file = files[key] else {
            // Renamed after it was judged: the content is there, and so is its row.
            if let identity, identities.contains(identity) { return }
            return report.add(.fileMissing, path, "judged \(record.judged.iso8601)")
        }
        let isSame = isCopy ? identity?.size == file.identity.size : identity == file.identity
        if isSame {
            file.settled += 1
            file.pages = max(file.pages, record.pages)
        } else {
            file.isRewritten = true
        }
        files[key] = file
    }

    private mutating func weighFiles() {
        for (path, file) in files.sorted(by: { $0.key < $1.key }) {
            if file.settled >= file.pages {
                report.accounted += 1
            } else if file.isRewritten {
                report.add(.rewritten, path)
            } else {
                let pages = file.settled > 0 ? "\(file.settled) of \(file.pages) pages are judged" : nil
                report.add(.notJudged, path, pages ?? pending[path] ?? "")
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
                    try TIFFStructure.check(path: path, limits: .default)
                    report.masks += 1
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

    /// The runs that the ledger knows of in this scope.
    private var runs: [String] { Set(expected.keys.map(\.run)).sorted() }

    private mutating func checkAlarms() {
        for (well, announcements) in expected.sorted(by: {
            ($0.key.run, $0.key.well) < ($1.key.run, $1.key.well)
        }) {
            let path = tree.alarmLog(run: well.run, well: well.well)
            let said = readLog(path, well)
            for missing in announcements.subtracting(said).sorted(by: { $0.index < $1.index }) {
                report.add(.alarmMissing, path, "no \(missing.event.rawValue) of frame \(missing.index)")
            }
        }
    }

    private mutating func readLog(_ path: String, _ well: WellKey) -> Set<Announcement> {
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
            let announcement = Announcement(event: alarm.event, index: alarm.frame.index)
            // Another model, or another reason, is news about the same frame.
            if !said[announcement, default: []].insert(alarm.model + "\n" + (alarm.reason ?? "")).inserted {
                report.add(.alarmDoubled, path, "\(alarm.event.rawValue) of frame \(alarm.frame.index)")
            }
        }
        return Set(said.keys)
    }
}
