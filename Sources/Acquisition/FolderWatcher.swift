import CInotifyTools
import Foundation
import Glibc
package import Plate
import Synchronization

/// Finds complete frames in folders and everything below them, while they are written, and tells each once.
///
/// Watching begins with `init` and ends with `stop()`, with the end of whoever reads `events`, or with the
/// watcher itself. Each root has a thread of its own, which alone asks its file system: a share that does not answer stops no
/// other root (`standings`). No thread waits for the reader of `events`.
///
/// - A root is what its path names now. A new folder is first watched and then listed, so nothing falls between; a file that is
///   seen both ways is one event. A frame is told again if its writer closes it, or if its size, times, inode or name
///   change; whether its pixels changed is for the reader to find out.
/// - A file is taken when it is closed by its writer or moved to its place, and whole; an incomplete one is
///   looked at again with growing pauses, and given up where nothing changes any more. One that cannot be opened is never given
///   up. A stack that grows is told each time that frames have come. A file that was only found must also stay the same for a
///   while, longer if it ends in zeros.
/// - Symbolic links are never followed, save the roots themselves; hidden folders are not entered.
/// - Memory is bounded but for the folders: of what the reader has not taken, some thousand events and some ten
///   thousand names are kept; the rest stays on disk and is found by looking through the folders again, once
///   the reader catches up. What was told or known is remembered as 8-byte hashes of at most the last two million
///   frames (about 32 MiB).
package final class FolderWatcher: Sendable {
    /// What the watcher finds, for one reader: in order of discovery, each listing by run, well and time.
    package let events: AsyncStream<AcquisitionEvent>
    /// Hands over files with their content and frame, one call of `add` each.
    package typealias Known = @Sendable (_ add: (FrameSource, FrameID) -> Void) -> Void

    private let roots: [RootSign]
    /// Where notifications of each root arrive.
    let mailboxes: [ExactPath: Mailbox]
    private let continuation: AsyncStream<AcquisitionEvent>.Continuation

    /// Watches folders from now on.
    ///
    /// - Parameters:
    ///   - roots: Folders to watch; one inside another is part of the other. They need not be there yet.
    ///   - pattern: Tells frames by their names.
    ///   - options: What is taken and how patiently.
    ///   - known: Hands over the frames that need not be told if they lie there at the start with the same content. Called
    ///     once, on the thread of a root; only the last two million are kept.
    ///   - hasRoomForOld: Whether files that were written before the start may be told now. Otherwise they wait, and others
    ///     go before them. Called on the threads of the roots for each of them.
    ///   - isWhole: Whether the file at a path has all its parts. Called on the threads of the roots, often for
    ///     files that are being written: it must be quick.
    package convenience init(
        roots: [String],
        pattern: FramePattern,
        options: Options = Options(),
        known: @escaping Known = { _ in },
        hasRoomForOld: @escaping @Sendable () -> Bool = { true },
        isWhole: @escaping @Sendable (_ path: String) -> Wholeness
    ) {
        self.init(
            WatchPlan(
                roots: roots,
                pattern: pattern,
                options: options,
                known: known,
                hasRoomForOld: hasRoomForOld,
                isWhole: isWhole
            )
        )
    }

    /// The kind of network share that a folder lies on, if it may not tell what other machines write; `nil` for a local one.
    package static func shareName(of folder: String) -> String? {
        FileSystem.shareName(of: ExactPath(folder))
    }

    /// Watches as planned.
    init(_ plan: WatchPlan) {
        let (stream, continuation) = AsyncStream.makeStream(
            of: AcquisitionEvent.self,
            bufferingPolicy: .bufferingOldest(plan.mostUnread)
        )
        let listing = FirstListing(roots: plan.roots.count)
        let told = ToldFrames(generation: plan.memory, known: plan.known)
        var (signs, mailboxes): ([RootSign], [ExactPath: Mailbox]) = ([], [:])
        for (number, root) in plan.roots.enumerated() {
            let (mailbox, sign) = (Mailbox(capacity: plan.mailCapacity), RootSign(root, listing))
            signs.append(sign)
            mailboxes[root] = mailbox
            let thread = Thread {
                Collector(root, plan, mailbox: mailbox, sign: sign, told: told) {
                    if case .dropped = continuation.yield($0) { false } else { true }
                }.run()
            }
            thread.name = "autoqc.folder\(number + 1)"
            thread.start()
        }
        (roots, self.mailboxes) = (signs, mailboxes)
        (events, self.continuation) = (stream, continuation)
        continuation.onTermination = { [boxes = mailboxes] _ in boxes.values.forEach { $0.note(.stop) } }
    }

    deinit { stop() }

    /// Takes no more files and ends `events` behind those that were told; may be called more than once.
    ///
    /// Waits for nothing: the thread of a folder that does not answer ends when it does.
    package func stop() {
        continuation.finish()
    }

    /// Looks again at a file that was told and could not be read, until it can be opened; then it is told again.
    ///
    /// One that is gone is told if it comes back.
    package func lookAgain(_ file: FrameFile) {
        mailboxes[ExactPath(file.source.root)]?.lookAgain(file)
    }

    /// How each root answers, in the order of the roots.
    package var standings: [RootStanding] { roots.map(\.standing) }
}

/// Whether a watched folder answers.
package struct RootStanding: Sendable, Equatable {
    /// Its path, as it was given.
    package let root: String
    /// Whether its first listing is done.
    package let isListed: Bool
    /// How long it has not answered; zero for one that does, or is not asked.
    package let silence: Duration
    /// What is looked at meanwhile, safe to print.
    package let path: String

    /// Gathers a standing.
    package init(root: String, isListed: Bool = true, silence: Duration = .zero, path: String = "") {
        (self.root, self.isListed, self.silence, self.path) = (root, isListed, silence, path)
    }
}

/// The sign of life of one root's thread.
final class RootSign: Sendable {
    private let root: ExactPath
    private let listing: FirstListing
    private let state = Mutex((since: ContinuousClock.Instant?.none, path: ExactPath?.none, isListed: false))

    init(_ root: ExactPath, _ listing: FirstListing) {
        (self.root, self.listing) = (root, listing)
    }

    /// Work begins.
    func begins() { state.withLock { $0.since = .now } }

    /// The file system is asked about something.
    func looks(at path: ExactPath) { state.withLock { ($0.since, $0.path) = (.now, path) } }

    /// Nothing is to be done.
    func rests() { state.withLock { $0.since = nil } }

    /// The first listing is done, with so many frames; returns their number over all roots, once all are done.
    func isListed(_ count: Int) -> Int? {
        state.withLock { $0.isListed = true }
        return listing.add(count)
    }

    var standing: RootStanding {
        state.withLock { state in
            RootStanding(
                root: root.text,
                isListed: state.isListed,
                silence: state.since.map { .now - $0 } ?? .zero,
                path: printableName((state.path ?? root).text)
            )
        }
    }
}

/// The first listings of all roots.
final class FirstListing: Sendable {
    private let state: Mutex<(left: Int, frames: Int)>

    init(roots: Int) { state = Mutex((roots, 0)) }

    /// Adds the frames of one root; returns those of all, where it was the last.
    func add(_ count: Int) -> Int? {
        state.withLock { state in
            state.left -= 1
            state.frames += count
            return state.left == 0 ? state.frames : nil
        }
    }
}

extension FolderWatcher {
    /// What is taken and how patiently; durations are of wall time.
    package struct Options: Sendable, Equatable {
        /// Leaves frames alone that were written before the start and lie there then.
        package var onlyNew = false
        /// How long a file that was found without an event must stay the same before it is taken.
        package var settle = Duration.seconds(1)
        /// How soon an incomplete file is looked at again; the pause doubles up to `longestRetry`.
        package var firstRetry = Duration.milliseconds(50)
        /// The longest pause between two looks at an incomplete file.
        package var longestRetry = Duration.seconds(5)
        /// How long a file that was found without an event and ends in zeros must stay the same before it is taken.
        package var fill = Duration.seconds(10)
        /// How long an incomplete file may stay the same, in size and time of writing, before it is given up.
        package var giveUpAfter = Duration.seconds(60)
        /// How often folders are looked through that cannot be watched or are not there.
        package var pollInterval = Duration.seconds(2)
        /// Looks through all folders at every `pollInterval`, beside watching them.
        ///
        /// Those on file systems known to be shared over a
        /// network are looked through anyway, and not watched.
        package var poll = false
        /// Folders that are not entered, for example the output tree if it lies in a watched folder.
        package var excluded: [String] = []

        /// The values that fit a microscope with a local disk.
        package init() {}
    }
}

/// What a folder watcher tells.
///
/// Paths in `skipped`, `degraded` and `root...` and all sentences are safe to
/// print: control characters and bytes that are not UTF-8 stand as `\xNN`.
package enum AcquisitionEvent: Sendable, Equatable {
    /// A complete frame, once per content; or a file some of whose frames are there (`isGrowing`).
    case frame(FrameFile)
    /// A file or folder that is not taken, once, and why.
    case skipped(path: String, reason: String)
    /// A frame that did not become whole although nothing was written to it any more, and what it lacks.
    case abandoned(FrameFile, reason: String)
    /// So many frames lay there at the first listing that were known before; told once, before `listed`, if there are any.
    case known(Int)
    /// All folders are watched and the first listing of them is done; so many frames lay there that
    /// were not known before.
    case listed(Int)
    /// Events were lost because they came faster than they could be read; every folder was looked through
    /// again, so many frames lay there, and none is lost.
    case overflow(rescanned: Int)
    /// The watcher works, but later or dearer than it should: what to do about it.
    case degraded(reason: String)
    /// A watched folder is not there (any more); it is taken up as soon as it is.
    case rootMissing(path: String)
    /// A watched folder that was missing is there.
    case rootBack(path: String)
    /// The path of a watched folder names another folder now, which is taken up.
    case rootReplaced(path: String)
    /// A frame cannot be looked at yet, and why; told once for each reason. It is told as a frame as soon as it can.
    case waiting(FrameFile, reason: String)
}

/// What this machine lets one user watch.
package struct WatchLimits: Sendable, Equatable {
    /// Folders that may be watched, `fs.inotify.max_user_watches`.
    package let folders: Int
    /// Programs that may watch, `fs.inotify.max_user_instances`.
    package let instances: Int
    /// Events that may wait, `fs.inotify.max_queued_events`.
    package let events: Int

    /// Asks the kernel.
    package static var current: WatchLimits {
        WatchLimits(
            folders: Int(inotifytools_get_max_user_watches()),
            instances: Int(inotifytools_get_max_user_instances()),
            events: Int(inotifytools_get_max_queued_events())
        )
    }
}

/// All that one watcher works by.
struct WatchPlan: Sendable {
    /// Absolute, none inside another.
    let roots: [ExactPath]
    let pattern: FramePattern
    let options: FolderWatcher.Options
    let excluded: [ExactPath]
    /// The clock of file times when the watcher was made.
    let started = FileSystem.now(CLOCK_REALTIME_COARSE)
    let isWhole: @Sendable (String) -> Wholeness
    let known: FolderWatcher.Known
    let hasRoomForOld: @Sendable () -> Bool
    /// How many folders this watcher may watch; the machine's own limit may be lower.
    var watchLimit = Int.max
    /// Hashes kept in one generation of what was told.
    var memory = 1 << 20
    /// Events of a root's folders that may wait for its thread; more than the kernel keeps by default.
    var mailCapacity = 1 << 16
    /// Events that may wait for the reader.
    var mostUnread = 4096
    /// Names that may wait to be checked or told; more stay on disk.
    var mostCandidates = 65_536

    /// Makes paths absolute and drops roots that others contain.
    init(
        roots: [String],
        pattern: FramePattern,
        options: FolderWatcher.Options,
        known: @escaping FolderWatcher.Known = { _ in },
        hasRoomForOld: @escaping @Sendable () -> Bool = { true },
        isWhole: @escaping @Sendable (String) -> Wholeness
    ) {
        let all = roots.map(ExactPath.absolute)
        self.roots = all.enumerated().filter { index, root in
            !all.enumerated().contains { other, folder in
                root.isInside(folder) && (root != folder || other < index)
            }
        }.map(\.element)
        self.pattern = pattern
        self.options = options
        excluded = options.excluded.map(ExactPath.absolute)
        self.isWhole = isWhole
        self.known = known
        self.hasRoomForOld = hasRoomForOld
    }
}
