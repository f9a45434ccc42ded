import Foundation

/// System calls on output files such that what returned is on the disk, after a power cut too.
enum Durable {
    /// Ending of files that are not finished; the next start removes them.
    static let temporarySuffix = ".tmp"

    /// An open file, closed when it goes.
    struct Handle: ~Copyable {
        let descriptor: Int32
        let path: String

        init(_ path: String, flags: Int32, operation: String = "open") throws(OutputError) {
            descriptor = unsafe open(path, flags | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw OutputError(operation, path, errno: errno) }
            self.path = path
        }

        deinit { close(descriptor) }

        /// Brings the file's bytes to the disk.
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

        /// Cuts the file off behind its first `size` bytes.
        func truncate(to size: Int) throws(OutputError) {
            guard ftruncate(descriptor, off_t(size)) == 0 else {
                throw OutputError("cut", path, errno: errno)
            }
        }

        /// Size in bytes.
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
        case EEXIST: break
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

    /// Writes a whole file, emptied before.
    static func write(bytes: [UInt8], to path: String) throws(OutputError) {
        try Handle(path, flags: O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, operation: "create").write(bytes)
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

    /// The folder that holds a path.
    static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
