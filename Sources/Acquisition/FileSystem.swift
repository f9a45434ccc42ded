import CInotifyTools
import Glibc
import Plate

/// The questions that acquisition asks of the file system.
///
/// None follows a link in the last part of a path unless told to.
enum FileSystem {
    enum Kind {
        case folder, file, link, other, unknown
    }

    /// One entry of a folder, by the bytes of its name.
    struct Entry {
        let name: [UInt8]
        let kind: Kind
        /// Where it was asked for, of what is no folder.
        var status: Status?
    }

    struct Status {
        let kind: Kind
        let place: Place
        let identity: FileIdentity
        let links: Int
    }

    /// Which file or folder it is, on which file system.
    struct Place: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    /// Why a question had no answer, as `errno`.
    struct Failure: Error {
        let code: Int32

        var reason: String { unsafe String(cString: strerror(code)) }
        var isAbsence: Bool { code == ENOENT || code == ENOTDIR }
        /// Whether the process or the machine is out of file descriptors or memory, which passes.
        var isShortage: Bool { code == EMFILE || code == ENFILE || code == ENOMEM }
    }

    static func status(_ path: ExactPath, followingLink: Bool = false) throws(Failure) -> Status {
        var raw = stat()
        let code = unsafe followingLink ? stat(path.text, &raw) : lstat(path.text, &raw)
        guard code == 0 else { throw Failure(code: errno) }
        return status(raw)
    }

    fileprivate static func status(_ raw: stat) -> Status {
        Status(
            kind: kind(ofMode: raw.st_mode),
            place: Place(device: UInt64(raw.st_dev), inode: UInt64(raw.st_ino)),
            identity: FileIdentity(
                inode: UInt64(raw.st_ino),
                size: Int64(raw.st_size),
                modified: timestamp(raw.st_mtim),
                changed: timestamp(raw.st_ctim)
            ),
            links: Int(raw.st_nlink)
        )
    }

    /// The entries of a folder, without `.` and `..`, in no order.
    ///
    /// To look files up `withStatus` is quicker than to do so by their paths, which are walked from the root on.
    static func entries(
        of path: ExactPath,
        followingLink: Bool,
        withStatus: Bool = false
    ) throws(Failure) -> [Entry] {
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (followingLink ? 0 : O_NOFOLLOW)
        let descriptor = unsafe open(path.text, flags)
        guard descriptor >= 0 else { throw Failure(code: errno == ELOOP ? ENOTDIR : errno) }
        guard let folder = unsafe fdopendir(descriptor) else {
            let failure = Failure(code: errno)
            close(descriptor)
            throw failure
        }
        defer { unsafe closedir(folder) }
        var entries: [Entry] = []
        while true {
            errno = 0
            guard let raw = unsafe readdir(folder) else { break }
            let name = unsafe bytes(ofName: raw)
            if name == Array(".".utf8) || name == Array("..".utf8) { continue }
            var entry = Entry(name: name, kind: unsafe kind(ofType: Int32(raw.pointee.d_type)))
            if withStatus, entry.kind != .folder {
                entry.status = unsafe status(of: raw, in: dirfd(folder))
                errno = 0
            }
            entries.append(entry)
        }
        guard errno == 0 else { throw Failure(code: errno) }
        return entries
    }

    /// A folder that is held on to while its path may come to name another one; closed when it goes.
    final class Handle {
        let descriptor: Int32
        let place: Place

        init(_ path: ExactPath, followingLink: Bool) throws(Failure) {
            let flags = Int32(aqc_open_path) | O_DIRECTORY | O_CLOEXEC | (followingLink ? 0 : O_NOFOLLOW)
            descriptor = unsafe open(path.text, flags)
            guard descriptor >= 0 else { throw Failure(code: errno == ELOOP ? ENOTDIR : errno) }
            var raw = stat()
            guard unsafe fstat(descriptor, &raw) == 0 else {
                let failure = Failure(code: errno)
                close(descriptor)
                throw failure
            }
            place = FileSystem.status(raw).place
        }

        deinit { close(descriptor) }

        /// A path that names this very folder, whatever is mounted or renamed meanwhile.
        var path: String { "/proc/self/fd/\(descriptor)" }

        /// The kind of its file system if that may not tell of what other machines write, or `nil` for a local one.
        var shareName: String? { FileSystem.shares[unsafe aqc_file_system_kind(path)] }
    }

    /// The kind of a file system that may not tell of what other machines write, or `nil` for a local one.
    static func shareName(of path: ExactPath) -> String? {
        shares[unsafe aqc_file_system_kind(path.text)]
    }

    /// What is mounted where, as text that changes with every mount; empty where the system does not tell.
    static func mounts() -> [UInt8] {
        let descriptor = unsafe open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = unsafe read(descriptor, &piece, piece.count)
            guard count > 0 else { return text }
            text += piece[..<count]
        }
    }

    /// From the kernel's `magic.h` and the sources of the file systems that are not in it.
    fileprivate static let shares: [UInt32: String] = [
        0x6969: "nfs", 0x517B: "smb", 0xFF53_4D42: "cifs", 0xFE53_4D42: "smb2", 0x0102_1997: "9p",
        0x5346_414F: "afs", 0x6573_5546: "fuse", 0x00C3_6400: "ceph", 0x0BD0_0BD0: "lustre",
        0x4750_4653: "gpfs", 0x786F_4256: "vboxsf", 0x1983_0326: "beegfs",
    ]

    /// The wall clock; `CLOCK_REALTIME_COARSE` is the one that file times are taken from.
    static func now(_ clock: clockid_t = CLOCK_REALTIME) -> Timestamp {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return timestamp(time)
    }

    /// The name lies behind a fixed header and is as long as its file system allows: it is read in place.
    @unsafe
    private static func name(of entry: UnsafeMutablePointer<dirent>) -> UnsafePointer<CChar>? {
        guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return nil }
        return unsafe UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)
    }

    @unsafe
    private static func bytes(ofName entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
        guard let start = unsafe name(of: entry) else { return [] }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: strlen(start)))
    }

    @unsafe
    private static func status(of entry: UnsafeMutablePointer<dirent>, in folder: Int32) -> Status? {
        var raw = stat()
        guard let name = unsafe name(of: entry),
            unsafe fstatat(folder, name, &raw, AT_SYMLINK_NOFOLLOW) == 0
        else { return nil }
        return status(raw)
    }

    private static func timestamp(_ time: timespec) -> Timestamp {
        let (seconds, overflow) = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        return Timestamp(
            nanoseconds: overflow ? (time.tv_sec < 0 ? .min : .max) : seconds &+ Int64(time.tv_nsec)
        )
    }

    private static func kind(ofMode mode: mode_t) -> Kind {
        switch mode & S_IFMT {
        case S_IFDIR: .folder
        case S_IFREG: .file
        case S_IFLNK: .link
        default: .other
        }
    }

    private static func kind(ofType type: Int32) -> Kind {
        switch type {
        case Int32(DT_DIR): .folder
        case Int32(DT_REG): .file
        case Int32(DT_LNK): .link
        case Int32(DT_UNKNOWN): .unknown
        default: .other
        }
    }
}
