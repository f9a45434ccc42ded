import Foundation

/// System calls on output files such that what returned is on the disk, after a power cut too.
enum Durable {
    /// Ending of files that are not finished; the next start removes them.
    static let temporarySuffix = ".tmp"

    struct Handle: ~Copyable {
        let descriptor: Int32
        let path: String

        init(_ path: String, flags: Int32, operation: String = "open") throws(OutputError) {
            descriptor = unsafe open(path, flags | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw OutputError(operation, path, errno: errno) }
            self.path = path
        }

        deinit { close(descriptor) }

        func sync() throws(OutputError) {
            guard fsync(descriptor) == 0 else { throw OutputError("fsync", path, errno: errno) }
        }

        /// Writes all the bytes; an interrupted call goes on, a partial one too.
        func write(_ bytes: [UInt8]) throws(OutputError) {
            var written = 0
            while written < bytes.count {
                let count = unsafe bytes.withUnsafeBytes {
                    unsafe Foundation.write(
                        descriptor,
                        $0.baseAddress?.advanced(by: written),
                        bytes.count - written
                    )
                }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw OutputError("write", path, errno: count < 0 ? errno : ENOSPC) }
                written += count
            }
        }

        func truncate(to size: Int) throws(OutputError) {
            guard ftruncate(descriptor, off_t(size)) == 0 else {
                throw OutputError("cut", path, errno: errno)
            }
        }

        func size() throws(OutputError) -> Int {
            let size = lseek(descriptor, 0, SEEK_END)
            guard size >= 0 else { throw OutputError("measure", path, errno: errno) }
            return Int(size)
        }

        /// Reads up to `count` bytes from `offset`; fewer only at the end of the file.
        func read(at offset: Int, count: Int) throws(OutputError) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: count)
            var filled = 0
            while filled < count {
                let got = unsafe bytes.withUnsafeMutableBytes {
                    unsafe pread(
                        descriptor,
                        $0.baseAddress?.advanced(by: filled),
                        count - filled,
                        off_t(offset + filled)
                    )
                }
                if got < 0, errno == EINTR { continue }
                guard got >= 0 else { throw OutputError("read", path, errno: errno) }
                if got == 0 { break }
                filled += got
            }
            bytes.removeLast(count - filled)
            return bytes
        }
    }

    /// Makes a folder and those above it; each new one is durable in the one above.
    static func makeFolders(_ path: String) throws(OutputError) {
        if unsafe mkdir(path, 0o755) == 0 { return try syncFolder(parent(path)) }
        switch errno {
        case EEXIST:
            var status = stat()
            guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
                throw OutputError("make the folder", path, errno: ENOTDIR)
            }
        case ENOENT where parent(path) != path:
            try makeFolders(parent(path))
            guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else {
                throw OutputError("make the folder", path, errno: errno)
            }
            try syncFolder(parent(path))
        case let number: throw OutputError("make the folder", path, errno: number)
        }
    }

    /// Writes a file under a temporary name beside it, makes it durable and gives it its name.
    ///
    /// Readers see the old file or the new one, whole; a failure leaves the old one.
    static func replace(_ path: String, write: (String) throws(OutputError) -> Void) throws(OutputError) {
        let temporary = path + temporarySuffix
        do throws(OutputError) {
            try write(temporary)
            try Handle(temporary, flags: O_RDONLY).sync()
            guard unsafe rename(temporary, path) == 0 else {
                throw OutputError("rename to", path, errno: errno)
            }
            try syncFolder(parent(path))
        } catch {
            unsafe unlink(temporary)
            throw error
        }
    }

    /// The same for a file of these bytes.
    static func replace(_ path: String, with bytes: some Sequence<UInt8>) throws(OutputError) {
        try replace(path) { temporary throws(OutputError) in
            let flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW
            try Handle(temporary, flags: flags, operation: "create").write(Array(bytes))
        }
    }

    /// Removes a file; one that is not there is as good.
    static func remove(_ path: String) throws(OutputError) {
        guard unsafe unlink(path) == 0 || errno == ENOENT else {
            throw OutputError("remove", path, errno: errno)
        }
    }

    /// Brings the names in a folder to the disk.
    static func syncFolder(_ path: String) throws(OutputError) {
        try Handle(path, flags: O_RDONLY | O_DIRECTORY, operation: "open the folder").sync()
    }

    /// Names in a folder, sorted; none where there is no such folder.
    static func entries(of path: String) throws(OutputError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        } catch let error as CocoaError
            where error.code == .fileReadNoSuchFile || error.code == .fileReadUnknown
        {
            return []
        } catch {
            throw OutputError("list", path, detail: "\(error)")
        }
    }

    static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

/// An append-only file of lines, each written by one system call, made whole again when it is opened.
///
/// A crash can leave a last line without its newline, or zeros where the file system had made room: everything
/// after the last newline is cut off before anything is appended.
struct LineFile: ~Copyable {
    /// How much of the file's end `recentLines` reads.
    ///
    /// More than the lines of one batch: at most 64 frames of two lines of less than 1,600 bytes.
    static let recentBytes = 256 << 10

    private let handle: Durable.Handle

    /// Opens the file for appending; makes it and its folders where they are missing.
    init(_ path: String) throws(OutputError) {
        let folder = Durable.parent(path)
        try Durable.makeFolders(folder)
        let isNew = unsafe access(path, F_OK) != 0
        let handle = try Durable.Handle(path, flags: O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW)
        if isNew { try Durable.syncFolder(folder) }
        try Self.cutTornLine(of: handle)
        self.handle = handle
    }

    /// Appends lines and brings them to the disk; a failure leaves no part of a line.
    func append(_ lines: [String]) throws(OutputError) {
        guard !lines.isEmpty else { return }
        for line in lines {
            let size = try handle.size()
            do {
                try handle.write(Array(line.utf8) + [UInt8(ascii: "\n")])
            } catch {
                try handle.truncate(to: size)
                throw error
            }
        }
        try handle.sync()
    }

    /// The last lines of the file, oldest first: all within its last `recentBytes`.
    func recentLines() throws(OutputError) -> [String] {
        let size = try handle.size()
        let start = max(0, size - Self.recentBytes)
        let bytes = try handle.read(at: start, count: size - start)
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        // Without the empty rest after the last newline and, if cut into, the first line.
        return lines.dropLast().dropFirst(start > 0 ? 1 : 0).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func cutTornLine(of handle: borrowing Durable.Handle) throws(OutputError) {
        let size = try handle.size()
        var end = size
        while end > 0 {
            let start = max(0, end - (64 << 10))
            let bytes = try handle.read(at: start, count: end - start)
            if let newline = bytes.lastIndex(of: UInt8(ascii: "\n")) {
                end = start + newline + 1
                break
            }
            end = start
        }
        guard end < size else { return }
        try handle.truncate(to: end)
        try handle.sync()
    }
}

/// Output that could not be written: the disk is full, the folder may not be written or is gone.
///
/// | code | what to do |
/// |---|---|
/// | `noSpace` | free some space; frames wait and are caught up by themselves |
/// | `notAllowed` | let the daemon's user write the folder; frames wait |
/// | `notMounted` | mount the file system that holds the folder; frames wait |
/// | `taken` | stop the other daemon, or name another output folder |
/// | `notUsable` | another kind of file is in the way, or the device failed; look at the path |
package struct OutputError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What to do about it.
    package enum Code: Sendable {
        /// No space, no inodes or no quota left.
        case noSpace
        /// Permissions, or a file system mounted read-only.
        case notAllowed
        /// The file system that is to hold it is not there.
        case notMounted
        /// Another process writes the folder.
        case taken
        case notUsable
    }

    /// What to do about it.
    package let code: Code
    /// What was being done, for example `write`.
    package let operation: String
    /// The path it was done to.
    package let path: String
    /// Why it failed.
    package let detail: String

    /// What to do, in words.
    package var remedy: String {
        switch code {
        case .noSpace: "free some space there"
        case .notAllowed: "let this user write there"
        case .notMounted: "mount it"
        case .taken: "stop it, or name another output folder"
        case .notUsable: "look at what is there"
        }
    }

    /// A sentence with the path, the reason and what to do.
    package var description: String {
        "Cannot \(operation) \(Logfmt.quoted(path)) (\(detail)): \(remedy)."
    }

    /// Describes a failed system call by the `errno` it left.
    init(_ operation: String, _ path: String, errno number: Int32) {
        code =
            switch number {
            case ENOSPC, EDQUOT, EFBIG: .noSpace
            case EACCES, EPERM, EROFS: .notAllowed
            default: .notUsable
            }
        self.operation = operation
        self.path = path
        detail = unsafe String(cString: strerror(number))
    }

    /// Describes a failure that has no `errno`.
    init(_ operation: String, _ path: String, detail: String, code: Code = .notUsable) {
        self.code = code
        self.operation = operation
        self.path = path
        self.detail = detail
    }
}
