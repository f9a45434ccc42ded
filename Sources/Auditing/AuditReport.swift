/// Whether every frame is accounted for, and what is not as it should be.
package struct AuditReport: Sendable, Equatable, Encodable {
    /// What can be wrong, the most serious first.
    package enum Kind: String, Sendable, CaseIterable, Encodable {
        /// A watched folder is not there, so nothing is known of its files.
        case folderMissing = "folder-missing"
        /// A file has no outcome, or not for all of its pages.
        case notJudged = "not-judged"
        /// A file was written again after it was judged.
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
