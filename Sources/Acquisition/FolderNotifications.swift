import CInotifyTools
import Glibc
import Plate

/// What happened in or to a watched folder.
struct FolderNotification: Sendable {
    enum Kind: Sendable {
        /// A file was closed by a writer.
        case closed
        /// An entry was renamed to its place.
        case moved
        /// An entry appeared.
        case created
        /// An entry was renamed away.
        case movedAway
        /// The folder itself was renamed.
        case folderMoved
        /// The folder itself is gone, or its file system is; nothing more will come from this watch.
        case folderGone
    }

    let watch: Int32
    let kind: Kind
    /// Name of the entry in the folder; empty where the folder itself is meant.
    let name: [UInt8]
    let isFolder: Bool
}

/// libinotifytools, behind its one door (with `Bell`): a process-wide state that only one thread may touch.
///
/// - It waits in whole seconds and cannot be woken, hence the `Bell`.
/// - It waits with `select`, which cannot take descriptors from 1024 on: then there are no notifications.
/// - It names watches by path and keeps the names of folders that were deleted, so each watch gets a
///   spelling of its path that was never used before; that is how its number is found.
/// - It writes to stderr when asked to remove a watch that the kernel has removed, so a watch that is not
///   wanted any more is kept for a while: the kernel tells if its folder is gone.
final class FolderNotifications {
    /// What the thread woke up for.
    enum Signal {
        case bell
        case folder(FolderNotification)
        /// Events came faster than they were read and some are lost.
        case overflow
        /// No notification will come any more.
        case broken
    }

    private(set) var isAvailable = false
    private let bell: Bell
    private var bellWatch: Int32 = -1
    private var spellings = 0
    private var users: [Int32: Int] = [:]
    private var unwanted: [Int32: Unwanted] = [:]

    private static let interest =
        IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR
    /// How long an unwanted watch is kept; the deletion of a folder that was moved out is over by then.
    private static let grace = Duration.seconds(5)

    /// A watch to remove: after its grace and a little more, when all that happened before has been read.
    private struct Unwanted {
        var due: ContinuousClock.Instant
        var isLastCall = false
    }

    /// Starts the library; without it, for want of descriptors or inotify instances, only the bell works.
    init(bell: Bell) {
        self.bell = bell
        let lowest = dup(STDERR_FILENO)
        if lowest >= 0 { close(lowest) }
        guard lowest >= 0 && lowest < Self.largestDescriptor, inotifytools_init(0, 0, 0) != 0,
            let path = bell.open(), case .success(let watch) = add(path, IN_ATTRIB)
        else {
            bell.close()
            return
        }
        bellWatch = watch
        isAvailable = true
    }

    /// Leaves room for descriptors that other threads open while the library opens its own.
    private static let largestDescriptor: Int32 = 1000

    /// Watches the folder of an open handle and returns the number of its watch, the same for one that is watched already.
    func watch(_ path: String) -> Result<Int32, FileSystem.Failure> {
        guard isAvailable else { return .failure(FileSystem.Failure(code: EMFILE)) }
        let result = add(path, Self.interest)
        if case .success(let watch) = result {
            unwanted[watch] = nil
            users[watch, default: 0] += 1
        }
        return result
    }

    /// Ends one use of a watch; the last one's end removes it, a little later.
    func release(_ watch: Int32, now: ContinuousClock.Instant) {
        guard let count = users[watch] else { return }
        users[watch] = count > 1 ? count - 1 : nil
        if count == 1 { unwanted[watch] = Unwanted(due: now + Self.grace) }
    }

    /// Forgets a watch that the kernel has most likely removed, without the message that would be lost.
    func forget(_ watch: Int32) {
        users[watch] = nil
    }

    /// Removes the watches whose time is over; returns when to come back.
    func removeUnwanted(now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        for (watch, state) in unwanted where state.due <= now {
            if state.isLastCall {
                unwanted[watch] = nil
                inotifytools_remove_watch_by_wd(watch)
            } else {
                unwanted[watch] = Unwanted(due: now + .seconds(1), isLastCall: true)
            }
        }
        return unwanted.values.lazy.map(\.due).min()
    }

    func next() -> Signal {
        while isAvailable {
            guard let event = unsafe inotifytools_next_event(-1) else {
                if [EINTR, EAGAIN].contains(inotifytools_error()) { continue }
                isAvailable = false
                users = [:]
                unwanted = [:]
                bell.close()
                return .broken
            }
            if let signal = unsafe read(event) { return signal }
        }
        bell.wait()
        return .bell
    }

    /// The name follows its header in the library's buffer: read in place, not copied with the struct.
    @unsafe
    private func read(_ event: UnsafeMutablePointer<inotify_event>) -> Signal? {
        let watch = unsafe event.pointee.wd
        let mask = unsafe event.pointee.mask
        if has(mask, IN_Q_OVERFLOW) {
            unwanted = [:]  // Whether their folders are gone may be among what was lost.
            return .overflow
        }
        if watch == bellWatch { return has(mask, IN_ATTRIB) ? .bell : nil }
        if has(mask, IN_IGNORED) {
            unwanted[watch] = nil
            users[watch] = nil
        }
        guard let kind = kind(mask) else { return nil }
        let start = unsafe UnsafeRawPointer(event).advanced(by: MemoryLayout<inotify_event>.size)
        let padded = unsafe UnsafeRawBufferPointer(start: start, count: Int(event.pointee.len))
        return .folder(
            FolderNotification(
                watch: watch,
                kind: kind,
                name: unsafe Array(padded.prefix { $0 != 0 }),
                isFolder: has(mask, IN_ISDIR)
            )
        )
    }

    private func kind(_ mask: UInt32) -> FolderNotification.Kind? {
        if has(mask, IN_CLOSE_WRITE) { return .closed }
        if has(mask, IN_MOVED_TO) { return .moved }
        if has(mask, IN_CREATE) { return .created }
        if has(mask, IN_MOVED_FROM) { return .movedAway }
        if has(mask, IN_MOVE_SELF) { return .folderMoved }
        return has(mask, IN_DELETE_SELF | IN_UNMOUNT | IN_IGNORED) ? .folderGone : nil
    }

    private func has(_ mask: UInt32, _ bits: some BinaryInteger) -> Bool {
        mask & UInt32(truncatingIfNeeded: bits) != 0
    }

    private func add(_ path: String, _ mask: Int32) -> Result<Int32, FileSystem.Failure> {
        let spelling = freshSpelling(of: path)
        guard unsafe inotifytools_watch_file(spelling, mask) != 0 else {
            return .failure(FileSystem.Failure(code: inotifytools_error()))
        }
        let asFolder = unsafe inotifytools_wd_from_filename(spelling + "/")
        let watch = asFolder >= 0 ? asFolder : unsafe inotifytools_wd_from_filename(spelling)
        return watch >= 0 ? .success(watch) : .failure(FileSystem.Failure(code: ENOENT))
    }

    /// The same absolute path with a number in front, written in `/` for 0 and `/.` for 1.
    private func freshSpelling(of path: String) -> String {
        spellings += 1
        return String(spellings, radix: 2).map { $0 == "1" ? "/." : "/" }.joined() + path
    }
}
