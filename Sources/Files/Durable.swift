import Foundation

/// System calls on output files such that what returned is on the disk, after a power cut too.
package enum Durable {
    /// Ending of files that are not finished; the next start removes them.
    package static let temporarySuffix = ".tmp"

    /// An open file; closed when it goes out of use.
    package struct Handle: ~Copyable {
        /// The descriptor.
        package let descriptor: Int32
        /// Its path, for messages.
        package let path: String

        /// Opens a file; one that is made may be read by all.
        package init(_ path: String, flags: Int32, mode: UInt32 = 0o644, operation: String = "open")
            throws(OutputError)
        {
            descriptor = unsafe open(path, flags | O_CLOEXEC, mode)
            guard descriptor >= 0 else { throw OutputError(operation, path, errno: errno) }
            self.path = path
        }

        deinit { close(descriptor) }

        /// Brings the content to the disk.
        package func sync() throws(OutputError) {
            guard fsync(descriptor) == 0 else { throw OutputError("fsync", path, errno: errno) }
        }

        /// Writes all the bytes; an interrupted call goes on, a partial one too.
        package func write(_ bytes: [UInt8]) throws(OutputError) {
            try Durable.write(bytes, to: descriptor, path)
        }

        /// Cuts the file to its first bytes.
        package func truncate(to size: Int) throws(OutputError) {
            guard ftruncate(descriptor, off_t(size)) == 0 else {
                throw OutputError("cut", path, errno: errno)
            }
        }

        /// Bytes in the file.
        package func size() throws(OutputError) -> Int {
            let size = lseek(descriptor, 0, SEEK_END)
            guard size >= 0 else { throw OutputError("measure", path, errno: errno) }
            return Int(size)
        }

        /// Reads up to `count` bytes from `offset`; fewer only at the end of the file.
        package func read(at offset: Int, count: Int) throws(OutputError) -> [UInt8] {
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

    /// Writes all the bytes to an open file; `path` is for messages.
    package static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(OutputError) {
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
            if count < 0, errno == EAGAIN {
                // A terminal or a pipe that somebody else made non-blocking.
                var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&wanted, 1, -1)
                continue
            }
            guard count > 0 else { throw OutputError("write", path, errno: count < 0 ? errno : ENOSPC) }
            written += count
        }
    }

    /// Makes a folder and those above it; each new one is durable in the one above.
    package static func makeFolders(_ path: String) throws(OutputError) {
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

    /// Makes a file that was written durable and gives it its name, durable when this returns.
    package static func rename(_ temporary: String, to path: String) throws(OutputError) {
        try Handle(temporary, flags: O_RDONLY).sync()
        guard unsafe Foundation.rename(temporary, path) == 0 else {
            throw OutputError("rename to", path, errno: errno)
        }
        try syncFolder(parent(path))
    }

    /// Writes a file under a temporary name beside it, makes it durable and gives it its name.
    ///
    /// Readers see the old file or the new one, whole; a failure leaves the old one.
    package static func replace(_ path: String, write: (String) throws(OutputError) -> Void)
        throws(OutputError)
    {
        let temporary = path + temporarySuffix
        do throws(OutputError) {
            try write(temporary)
            try rename(temporary, to: path)
        } catch {
            unsafe unlink(temporary)
            throw error
        }
    }

    /// The same for a file of these bytes.
    package static func replace(_ path: String, with bytes: some Sequence<UInt8>) throws(OutputError) {
        try replace(path) { temporary throws(OutputError) in
            let flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW
            try Handle(temporary, flags: flags, operation: "create").write(Array(bytes))
        }
    }

    /// Replaces a file that need not outlive a power cut; readers see the old one or the new one, whole.
    package static func replaceUnsynced(_ path: String, with bytes: [UInt8]) throws(OutputError) {
        let temporary = path + temporarySuffix
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW
        try Handle(temporary, flags: flags, operation: "create").write(bytes)
        guard unsafe Foundation.rename(temporary, path) == 0 else {
            throw OutputError("rename to", path, errno: errno)
        }
    }

    /// Removes a file; one that is not there is as good.
    package static func remove(_ path: String) throws(OutputError) {
        guard unsafe unlink(path) == 0 || errno == ENOENT else {
            throw OutputError("remove", path, errno: errno)
        }
    }

    /// Brings the names in a folder to the disk.
    package static func syncFolder(_ path: String) throws(OutputError) {
        try Handle(path, flags: O_RDONLY | O_DIRECTORY, operation: "open the folder").sync()
    }

    /// Names in a folder, sorted; none where there is no such folder.
    package static func entries(of path: String) throws(OutputError) -> [String] {
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
    package static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
