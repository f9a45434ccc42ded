package import Files
import Foundation
package import Plate

/// Where everything lies under an output folder.
///
/// ```
/// OUT/ledger.sqlite
/// OUT/RUN/alarms/B01.log
/// OUT/RUN/masks/01_B1_f100.mask.tiff, 01_B1_f100.mask.geojson
/// OUT/RUN/quarantine.log
/// OUT/RUN/learned.safetensors
/// OUT/RUN/advice/ID.json                 what the microscope had better do; ID.reply.json is its answer (AdviceRecord)
/// OUT/canary.log
/// OUT/decisions.jsonl
/// OUT/advice.jsonl                       who answered which advice
/// OUT/notify.sqlite                      what `autoqc notify` has told to whom, and what waits
/// OUT/.judging-N, OUT/.crashed           what is being judged, for the case of a crash (Monitoring.CrashNotes)
/// ```
/// A run whose name is that of one of the daemon's files (`ledger.sqlite...`, `notify.sqlite...`, `canary.log`, `decisions.jsonl`,
/// `advice.jsonl`) has a folder with a `%` in front, as `%6Cedger.sqlite`.
/// Masks are named like their frames' files, or `B01_f100` where a pattern with a `/` lets files of different wells share a
/// name. `RUN` and the masks' names come from outside and are made safe: see `SafeName`.
package struct OutputTree: Sendable, Equatable {
    /// The output folder, absolute.
    package let root: String

    /// Names an output folder.
    package init(root: String) {
        self.root = root
    }

    /// The record of every frame.
    package var ledger: String { "\(root)/ledger.sqlite" }

    /// The log of the daemon's test of itself, of no run.
    package var canaryLog: String { "\(root)/canary.log" }

    /// What reviewers decided (`DecisionLog`).
    package var decisions: String { "\(root)/decisions.jsonl" }

    /// What was answered to advice (`AdviceLog`).
    package var adviceAnswers: String { "\(root)/advice.jsonl" }

    /// The table of frames that `autoqc score --out` writes, with this ending.
    package func frames(ending: String) -> String { "\(root)/frames.\(ending)" }

    /// What `autoqc notify` has told to whom, and what waits to be told.
    package var notifications: String { "\(root)/notify.sqlite" }

    /// Held locked by the process that tells of events.
    package var notificationLock: String { "\(root)/.notify-lock" }

    /// Held locked by the daemon that writes here.
    package var lock: String { "\(root)/.lock" }

    /// How the files begin in which each judging thread notes what it judges.
    package static let judgingPrefix = ".judging-"

    /// The same with the folder; the thread's number follows.
    package var judgingPath: String { "\(root)/\(Self.judgingPrefix)" }

    /// Which files were being judged when the daemon crashed.
    package var crashed: String { "\(root)/.crashed" }

    /// The folder of one run.
    package func folder(run: String) -> String { "\(root)/\(Self.name(ofRun: run))" }

    /// The name of a run's folder, which none of the daemon's own files has.
    package static func name(ofRun run: String) -> String {
        let name = SafeName.of(run)
        guard isOwn(name), let first = name.utf8.first else { return name }
        // `SafeName` writes no letter so: no other run has this name.
        return "%" + first.digits(2, radix: 16).uppercased() + name.dropFirst()
    }

    /// Whether a name in the output folder is kept for the daemon's own files; some file systems do not tell `a` from `A`.
    package static func isOwn(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.hasPrefix(".")
            || ["canary.log", "decisions.jsonl", "advice.jsonl", "frames.csv", "frames.jsonl"].contains(name)
            || ["ledger.sqlite", "notify.sqlite"].contains { name.hasPrefix($0) }
    }

    /// The alarm log of one well of a run.
    package func alarmLog(run: String, well: Well) -> String { "\(folder(run: run))/alarms/\(well).log" }

    /// The masks of a run.
    package func masks(run: String) -> String { "\(folder(run: run))/masks" }

    /// The alarm log of what a run's wells have in common.
    package func plateLog(run: String) -> String { "\(folder(run: run))/alarms/plate.log" }

    /// Folder of the advice of a run.
    private func adviceFolder(run: String) -> String { "\(folder(run: run))/advice" }

    /// The file of an advice.
    package func advice(run: String, id: String) -> String { "\(adviceFolder(run: run))/\(id).json" }

    /// The file that acquisition software writes to answer an advice; the daemon takes it away.
    package func adviceReply(run: String, id: String) -> String {
        "\(adviceFolder(run: run))/\(id).reply.json"
    }

    /// Folder of the score maps of a run's faulty frames.
    package func scores(run: String) -> String { "\(folder(run: run))/scores" }

    /// The log of the frames of a run that could not be judged.
    package func quarantineLog(run: String) -> String { "\(folder(run: run))/quarantine.log" }

    /// The model file that was calibrated on a run's first frames.
    package func learnedModel(run: String) -> String { "\(folder(run: run))/learned.safetensors" }

    /// Makes the folder and shows that it can be written; does no harm to a daemon that writes it.
    ///
    /// Makes nothing where a file system of `/etc/fstab` is not mounted that is to hold it.
    package func probe() throws(OutputError) {
        if let place = MountTable.missing(for: root) {
            throw OutputError(
                "use",
                root,
                detail: "\(place) is in /etc/fstab and not mounted",
                code: .notMounted
            )
        }
        try Durable.makeFolders(root)
        // Threads may probe at once. A file system that is full takes names still, but no bytes.
        let path = "\(root)/\(Self.probePrefix)\(getpid())-\(UInt64.random(in: 0 ... .max))"
        try Durable.replace(path, with: [UInt8](repeating: 0, count: Self.probeBytes))
        try Durable.remove(path)
    }

    /// Makes the folder ready for the one daemon that writes it: removes what a crash left half-written.
    package func prepare() throws(OutputError) {
        try probe()
        // A file that somebody put in its place is no reason not to judge.
        try? DecisionLog.prepare(self)
        try? AdviceLog.prepare(self)
        for name in try Durable.entries(of: root) where Self.isLeftProbe(name) {
            try Durable.remove("\(root)/\(name)")
        }
        for run in try Durable.entries(of: root) where !Self.isOwn(run) {
            for folder in [
                "\(root)/\(run)", "\(root)/\(run)/masks", "\(root)/\(run)/scores", "\(root)/\(run)/advice",
            ] {
                Self.removeUnfinished(in: folder)
            }
        }
    }

    /// What cannot be removed, as somebody changed a run's folder, is no reason not to start.
    private static func removeUnfinished(in folder: String) {
        guard let names = try? Durable.entries(of: folder) else { return }
        for name in names where name.hasSuffix(Durable.temporarySuffix) {
            try? Durable.remove("\(folder)/\(name)")
        }
    }

    /// Makes the folder of a run's advice, and lets its group write replies there.
    func makeAdviceFolder(run: String) throws(OutputError) {
        let path = adviceFolder(run: run)
        guard unsafe access(path, F_OK) != 0 else { return }
        try Durable.makeFolders(path)
        // The process's mask of permissions may have left the group out.
        _ = unsafe chmod(path, 0o775)
    }

    /// Bytes left on the output's file system; `nil` where that is not known.
    package var freeBytes: Int? {
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: root)
        return (attributes?[.systemFreeSize] as? NSNumber)?.intValue
    }

    private static let probePrefix = ".probe-"
    /// About a mask and its lines.
    private static let probeBytes = 64 << 10

    /// Whether a file is the probe of a process that is gone.
    private static func isLeftProbe(_ name: String) -> Bool {
        guard name.hasPrefix(probePrefix),
            let process = Int32(name.dropFirst(probePrefix.count).prefix { $0.isNumber })
        else { return false }
        return kill(process, 0) != 0 && errno == ESRCH
    }
}

/// Names of output files made from names that came from outside.
///
/// Letters, digits and `-_+=.` stay; every other byte becomes `%XX`, and so does a dot in front: no name can leave
/// its folder, hide, or carry control characters, and different names stay different. A name of more than 160
/// bytes keeps its beginning and ends in `~` and sixteen digits of a hash of the whole.
package enum SafeName {
    /// Longest result in bytes; leaves room for endings within the 255 of a file system.
    package static let longest = 160

    /// The safe form of a run's or file's name.
    package static func of(_ name: String) -> String {
        guard !name.isEmpty else { return "%" }
        var result = ""
        for (position, byte) in name.utf8.enumerated() {
            let isLeadingDot = position == 0 && byte == UInt8(ascii: ".")
            if byte.isLetterOrDigit || "-_+=.".utf8.contains(byte), !isLeadingDot {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += "%" + byte.digits(2, radix: 16).uppercased()
            }
        }
        guard result.utf8.count > longest else { return result }
        return result.prefix(longest - 17) + "~" + name.stableHash
    }
}

/// Says that one process, and no other, writes an output folder; held until it goes, or the process does.
package final class OutputLock: Sendable {
    private let descriptor: Int32
    private static let attempts = 10
    /// In us.
    private static let pause: UInt32 = 20_000

    /// Takes the lock of a prepared output folder, or throws where another process holds it.
    package convenience init(tree: OutputTree) throws(OutputError) {
        try self.init(path: tree.lock, isTaken: "another autoqc writes this output folder")
    }

    /// Takes a lock of one's own kind; `isTaken` says who else holds it.
    package init(path: String, isTaken: String) throws(OutputError) {
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw OutputError("open", path, errno: errno) }
        var attempts = 0
        // Whoever asks `isHeld` has it for a moment.
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let number = errno
            attempts += 1
            if number == EWOULDBLOCK, attempts < Self.attempts {
                usleep(Self.pause)
                continue
            }
            // What is thrown from here on ends the object, which closes the file.
            guard number == EWOULDBLOCK else { throw OutputError("lock", path, errno: number) }
            throw OutputError("lock", path, detail: isTaken, code: .taken)
        }
    }

    /// Whether a process holds the lock of an output folder now.
    package static func isHeld(_ tree: OutputTree) -> Bool {
        let descriptor = unsafe open(tree.lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    deinit { close(descriptor) }
}
