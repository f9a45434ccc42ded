import Acquisition
import Files
import Foundation
import Ledger
import Plate
import Reporting
import Systemd

/// One answer of `autoqc doctor`.
package struct Diagnosis: Sendable, Equatable, Encodable {
    /// How serious it is.
    package enum Level: String, Sendable, Encodable {
        /// As it should be.
        case fine = "ok"
        /// The daemon runs, but not as well as it could.
        case warning = "warn"
        /// The daemon would not start, wait, or lose its purpose.
        case failure = "fail"
    }

    /// How serious it is.
    package let level: Level
    /// What was looked at, a word or two.
    package let subject: String
    /// What was found.
    package let finding: String
    /// What to do about it; `nil` where there is nothing to do.
    package let remedy: String?

    /// Gathers an answer.
    package init(_ level: Level, _ subject: String, _ finding: String, remedy: String? = nil) {
        (self.level, self.subject, self.finding, self.remedy) = (level, subject, finding, remedy)
    }
}

extension Configuration {
    /// What a day of eight frames a second may leave behind, by estimate: rows of the ledger, masks of a tenth of the frames.
    private static let bytesADay = 1.3e9

    /// Looks at everything outside the program that watching depends on; changes nothing but for a probe file.
    ///
    /// The model is not loaded here.
    package func diagnoses() -> [Diagnosis] {
        let folders = self.watch.map { folder in (folder, Patience.ask { Self.readable(folder) }) }
        let answering = folders.filter { $0.1 != nil }.map(\.0)
        return folders.map { $1 ?? Self.silent($0) }
            + [Self.limits(answering, output), writable, space] + ledgerAndLock
            + Diagnosis.names(in: answering, output: output.root, pattern: self.pattern) + [
                Self.journal, Self.clock,
            ]
    }

    private static func silent(_ folder: String) -> Diagnosis {
        Diagnosis(
            .failure,
            "watched folder",
            "\(folder) does not answer",
            remedy: "look at its server; `watch` goes on with the others and takes it up when it answers"
        )
    }

    private static func readable(_ folder: String) -> Diagnosis {
        let manager = FileManager.default
        guard manager.fileExists(atPath: folder) else {
            return Diagnosis(
                .failure,
                "watched folder",
                "\(folder) is not there",
                remedy: "make it or mount it; `watch` waits for it"
            )
        }
        guard manager.isReadableFile(atPath: folder), manager.isExecutableFile(atPath: folder) else {
            return Diagnosis(
                .failure,
                "watched folder",
                "\(folder) may not be read by user \(NSUserName())",
                remedy: "as root: setfacl -R -m \(Self.readers):rX -m d:\(Self.readers):rX \(folder)"
            )
        }
        if let share = FolderWatcher.shareName(of: folder) {
            return Diagnosis(
                .warning,
                "watched folder",
                "\(folder) lies on \(share), which does not tell what other machines write",
                remedy: "nothing is lost, but frames are found some seconds later, by looking"
            )
        }
        return Diagnosis(.fine, "watched folder", "\(folder) can be read and tells of changes")
    }

    /// Who is to read frames, for setfacl: the units' group, as the page has a user of its own.
    private static var readers: String { NSUserName() == "autoqc" ? "g:autoqc" : "u:\(NSUserName())" }

    private static func limits(_ folders: [String], _ output: OutputTree) -> Diagnosis {
        let limits = WatchLimits.current
        let found = folders.reduce(0) { $0 + Self.count(of: $1, without: output.root) }
        let words = "\(found) folders to watch, \(limits.folders) allowed, \(limits.instances) programs"
        guard found * 2 <= limits.folders else {
            return Diagnosis(
                found <= limits.folders ? .warning : .failure,
                "inotify",
                words,
                remedy: "as root: sysctl fs.inotify.max_user_watches=\(max(found, limits.folders) * 4); "
                    + "folders beyond the limit are looked through instead"
            )
        }
        return Diagnosis(.fine, "inotify", words)
    }

    private static func count(of folder: String, without excluded: String) -> Int {
        let folders = FileManager.default.enumerator(
            at: URL(filePath: folder),
            includingPropertiesForKeys: [.isDirectoryKey],
            options: [.skipsHiddenFiles]
        )
        var count = 1
        while let entry = folders?.nextObject() as? URL {
            guard (try? entry.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) == true else {
                continue
            }
            if entry.path == excluded { folders?.skipDescendants() } else { count += 1 }
        }
        return count
    }

    private var writable: Diagnosis {
        do {
            try output.probe()
            return Diagnosis(.fine, "output", "\(output.root) can be written")
        } catch {
            return Diagnosis(
                .failure,
                "output",
                "\(output.root) cannot be written: \(error.detail)",
                remedy: "let user \(NSUserName()) write it; under systemd outside /var/lib/autoqc also "
                    + "ReadWritePaths=-\(output.root)"
            )
        }
    }

    private var space: Diagnosis {
        guard let free = output.freeBytes else {
            return Diagnosis(.warning, "space", "is not known", remedy: "look with df")
        }
        let days = Int(saturating: Double(free) / Self.bytesADay)
        let words = "\(free >> 20) MiB free for results, some \(days) days of a full plate"
        guard free < ConditionReporter.spaceWanted else { return Diagnosis(.fine, "space", words) }
        return Diagnosis(.warning, "space", words, remedy: "free some, or put the output elsewhere")
    }

    private var ledgerAndLock: [Diagnosis] {
        guard FileManager.default.fileExists(atPath: output.ledger) else {
            return [Diagnosis(.fine, "ledger", "none yet; the first start makes it")]
        }
        let user = OutputLock.isHeld(output) ? "a daemon runs on it" : "no daemon runs on it now"
        guard FileManager.default.isWritableFile(atPath: output.ledger) else {
            return [
                Diagnosis(
                    .failure,
                    "ledger",
                    "\(output.ledger) may not be written",
                    remedy: "run this as the daemon's user, or give the file to it"
                )
            ]
        }
        return [ledgerItself(user)] + waiting
    }

    private func ledgerItself(_ user: String) -> Diagnosis {
        let path = output.ledger
        if let problem = LedgerRepair.problem(of: path) {
            return Diagnosis(
                .failure,
                "ledger",
                "\(path) is damaged: \(problem)",
                remedy: "stop the daemon, run this again with --repair, and start it; or restore a backup"
            )
        }
        do {
            let ledger = try FrameLedger(reading: path)
            let log = LedgerLog(of: path)
            let isAfterCrash = try ledger.sessions().last.map { $0.ended == nil } ?? false
            if isAfterCrash, !OutputLock.isHeld(output), let loss = log.loss {
                return Diagnosis(
                    .warning,
                    "ledger",
                    loss,
                    remedy: "nothing; or restore a backup before the start"
                )
            }
        } catch {
            return Diagnosis(.failure, "ledger", "\(error)", remedy: "do what it says, and look again")
        }
        return Diagnosis(.fine, "ledger", "\(path) is sound; \(user)")
    }

    /// Frames that wait, and why.
    private var waiting: [Diagnosis] {
        guard let frames = try? FrameLedger(reading: output.ledger).pending(), let first = frames.first else {
            return []
        }
        return [
            Diagnosis(
                .warning,
                "waiting",
                "\(frames.count) files wait; \(first.source.absolutePath) since \(first.since.iso8601): \(first.reason)",
                remedy: "mend what the reason names; `autoqc audit` lists all of them"
            )
        ]
    }

    private static var journal: Diagnosis {
        Journal.isPresent
            ? Diagnosis(.fine, "journal", "systemd-journald listens")
            : Diagnosis(
                .warning,
                "journal",
                "systemd-journald does not listen here",
                remedy: "alarms go to the alarm logs all the same"
            )
    }

    private static var clock: Diagnosis {
        guard SystemClock.isSynchronised else {
            return Diagnosis(
                .warning,
                "clock",
                "is not synchronised",
                remedy: "set up systemd-timesyncd or chrony, so that times in logs mean something"
            )
        }
        return Diagnosis(.fine, "clock", "is synchronised")
    }
}
