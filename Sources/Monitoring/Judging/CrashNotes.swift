import Files
import Foundation
import Logging
import Plate
import Reporting
import Synchronization
import Systemd

/// Which files were being judged when the program crashed, so that no file can end it again and again.
///
/// **Format.** Each judging thread has a file `OUT/.judging-N`. Before a file is judged, the thread appends
/// `INODE SIZE MTIME_NS CTIME_NS PATH` and a zero byte; when its outcome is durable, it empties the file. A handler of fatal signals
/// appends `crashed NN` (`CrashWatch`). None of it is synchronised: it has to survive the process, not the machine. A list without
/// that mark was left by a kill or a power cut, and says nothing. The next start adds what is marked to `OUT/.crashed`, records of
/// `COUNT INODE SIZE MTIME_NS CTIME_NS PATH` with a zero byte behind each, and removes the lists.
///
/// A file that was judged at one crash is judged alone after the next start, and nothing else of its kind beside it. At the
/// second crash it is taken for the cause.
final class CrashNotes: Sendable {
    /// A file with the content that was judged; a file that is written again is another one.
    struct Subject: Hashable {
        let path: ExactPath
        let numbers: [Int64]

        /// The file as it is now; `nil` where it is not there.
        init?(path: String) {
            var status = stat()
            guard unsafe stat(path, &status) == 0 else { return nil }
            let times = [status.st_mtim, status.st_ctim].map { time in
                Int64(time.tv_sec).saturatingMultiply(1_000_000_000).saturatingAdd(Int64(time.tv_nsec))
            }
            self.path = ExactPath(path)
            numbers = [Int64(bitPattern: UInt64(status.st_ino)), Int64(status.st_size)] + times
        }

        /// Reads what `record` writes.
        init?(record: some Collection<UInt8>) {
            let parts = record.split(
                separator: UInt8(ascii: " "),
                maxSplits: 4,
                omittingEmptySubsequences: false
            )
            guard parts.count == 5, !parts[4].isEmpty else { return nil }
            numbers = parts.prefix(4).compactMap { Int64(String(decoding: $0, as: UTF8.self)) }
            path = ExactPath(String(decoding: parts[4], as: UTF8.self))
            guard numbers.count == 4 else { return nil }
        }

        var record: [UInt8] {
            Array((numbers.map { "\($0)" }.joined(separator: " ") + " ").utf8) + Array(path.text.utf8)
        }
    }

    /// Crashes after which a file is not judged any more.
    static let most = 2
    /// Files that are remembered; the oldest are forgotten first.
    private static let mostFiles = 1000
    private static let mark = Array("crashed ".utf8)

    private let tree: OutputTree
    private let counts: Mutex<[Subject: Int]>
    /// Held by the thread that judges a file which was judged at a crash.
    private let alone = DispatchSemaphore(value: 1)

    /// Reads what the last run of the daemon left, and tells which files were judged when it crashed.
    init(tree: OutputTree) throws(OutputError) {
        self.tree = tree
        let lists = try Durable.entries(of: tree.root).filter { $0.hasPrefix(OutputTree.judgingPrefix) }
            .map { "\(tree.root)/\($0)" }
        let crashed = Self.records(in: tree.crashed).compactMap { record -> (Subject, Int)? in
            guard let space = record.firstIndex(of: UInt8(ascii: " ")),
                let count = Int(String(decoding: record[..<space], as: UTF8.self)), count > 0,
                let subject = Subject(record: record[(space + 1)...])
            else { return nil }
            return (subject, min(count, Self.most))
        }
        let known = Dictionary(crashed.suffix(Self.mostFiles)) { max($0, $1) }
        // A file that was written again is another one; what lies elsewhere now is not looked for.
        var found = known.filter { Subject(path: $0.key.path.text) == $0.key }
        let blamed = lists.map(Self.records).filter { $0.last?.starts(with: Self.mark) == true }
            .flatMap { $0.compactMap { Subject(record: $0) } }
        for subject in Set(blamed) { found[subject] = min(found[subject, default: 0] + 1, Self.most) }
        counts = Mutex(found)
        // In this order a crash in between forgets, and counts nothing twice.
        for list in lists { try Durable.remove(list) }
        if found != known { try store(found) }
    }

    private static func records(in path: String) -> [ArraySlice<UInt8>] {
        // A list has at most a batch's files; whatever is larger was written by nobody.
        guard let handle = try? Durable.Handle(path, flags: O_RDONLY | O_NOFOLLOW),
            let bytes = try? handle.read(at: 0, count: longest)
        else { return [] }
        return bytes.split(separator: 0)
    }

    private static let longest = 8 << 20

    private func store(_ counts: [Subject: Int]) throws(OutputError) {
        guard !counts.isEmpty else { return try Durable.remove(tree.crashed) }
        let records = counts.map { Array("\($1) ".utf8) + $0.record + [0] }
        try Durable.replace(tree.crashed, with: records.flatMap(\.self))
    }

    /// The daemon's: takes fatal signals over, and logs which files were judged at crashes.
    ///
    /// `nil`, with a warning, where the notes cannot be read or written: judging goes on without them.
    convenience init?(_ tree: OutputTree, _ logger: Logger) {
        do {
            try self.init(tree: tree)
        } catch {
            logger.warning(
                "Files that crash the program cannot be told from others",
                metadata: ["reason": "\(error)"]
            )
            return nil
        }
        CrashWatch.install()
        for (subject, count) in counts.withLock({ $0 }).sorted(by: { $0.key.path < $1.key.path }) {
            logger.warning(
                "The program crashed while it judged a file",
                metadata: [
                    "file": "\(printableName(subject.path.text))", "count": "\(count)",
                    "measures": count < Self.most ? "it is judged alone" : "it is not judged any more",
                ]
            )
        }
    }

    /// At how many crashes a file was judged with the content that it has now.
    func crashes(of path: String) -> Int {
        counts.withLock { counts in
            // Nearly always there are none, and no file is looked at.
            counts.isEmpty ? 0 : Subject(path: path).flatMap { counts[$0] } ?? 0
        }
    }

    /// Forgets a file that was judged after all.
    fileprivate func forget(_ path: String) {
        let left = counts.withLock { counts -> [Subject: Int]? in
            guard let subject = Subject(path: path), counts[subject] != nil else { return nil }
            counts[subject] = nil
            return counts
        }
        // Where it cannot be stored, the file is judged alone once more.
        if let left { try? store(left) }
    }

    /// The notes of the calling thread; `nil` where they cannot be written: judging goes on without the net.
    func thread(_ number: Int) -> JudgingNote? { JudgingNote(self, "\(tree.judgingPath)\(number)") }

    /// Waits until no other thread judges a file that was judged at a crash.
    fileprivate func waitAlone(_ tick: () -> Void) {
        while alone.wait(timeout: .now() + .milliseconds(500)) == .timedOut { tick() }
    }

    fileprivate func endAlone() { alone.signal() }
}

/// What one thread is judging, for `CrashNotes`.
///
/// Unchecked: only the thread that made it uses it; the pipelines that carry it are copied to no other.
final class JudgingNote: @unchecked Sendable {
    private let notes: CrashNotes
    private let file: Int32
    private let watch: CrashWatch
    private var isWorking = false
    /// The file that is judged alone.
    private var suspect: String?

    fileprivate init?(_ notes: CrashNotes, _ path: String) {
        file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard file >= 0 else { return nil }
        self.notes = notes
        watch = CrashWatch(file: file)
    }

    deinit {
        clear()
        close(file)
    }

    /// Whether a file is to be judged alone.
    func isSuspect(_ path: String) -> Bool { notes.crashes(of: path) > 0 }

    /// Notes that a file is going to be judged; `false` where it ended the program too often for that.
    func begin(_ path: String, tick: () -> Void) -> Bool {
        let crashes = notes.crashes(of: path)
        guard crashes < CrashNotes.most else { return false }
        if crashes > 0, suspect == nil {
            notes.waitAlone(tick)
            suspect = path
        }
        if let subject = CrashNotes.Subject(path: path) {
            // Where it cannot be written, the net is missing and nothing else.
            try? Durable.write(subject.record + [0], to: file, path)
        }
        isWorking = true
        watch.works(isSuspect: suspect != nil)
        return true
    }

    /// Notes that what was judged has its outcome.
    func clear(isJudged: Bool = false) {
        guard isWorking else { return }
        isWorking = false
        watch.rests()
        _ = ftruncate(file, 0)
        guard let suspect else { return }
        self.suspect = nil
        if isJudged { notes.forget(suspect) }
        notes.endAlone()
    }
}
