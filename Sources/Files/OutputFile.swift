import Foundation
import Synchronization

/// Writes the files that a user names: models, tables, reports, pictures.
///
/// | what bears the name | what happens |
/// |---|---|
/// | nothing, or a plain file | the bytes go to a temporary file beside it, which takes its place when it is whole and on the disk; mode and owner stay |
/// | a symbolic link | the same with the file that it points to; the link stays |
/// | a device, a pipe | the bytes are written to it |
/// | where standard output or standard error go, as `/dev/stdout` | the bytes are written there, behind what was written before |
///
/// A failure leaves a plain file as it was. The daemon's own files are `Durable`'s, which follows no links.
package enum OutputFile {
    /// The name of standard output where a file of text is written.
    package static let standardOutput = "-"

    /// Writes the whole content of a file.
    package static func write(_ bytes: some Sequence<UInt8>, to path: String) throws(OutputError) {
        switch try Place(of: path) {
        case .plain(let target): try replace(target, with: Array(bytes))
        case .stream(let descriptor):
            try Durable.write(Array(bytes), to: descriptor, path)
        case .special:
            let handle = try Durable.Handle(path, flags: O_WRONLY | O_NOCTTY)
            try handle.write(Array(bytes))
        }
    }

    /// Writes the whole content of a file of text; `-` is standard output.
    package static func write(text: String, to path: String) throws(OutputError) {
        if path == standardOutput { return try StandardStreams.write(text) }
        try write(text.utf8, to: path)
    }

    /// Whether a name is that of a plain file, or of none yet: others have no files beside them.
    package static func isPlain(_ path: String) -> Bool {
        if case .plain = try? Place(of: path) { true } else { false }
    }

    /// Refuses, before the work begins, a file that could not be written at its end.
    package static func check(_ path: String, isText: Bool = false) throws(OutputError) {
        if path == standardOutput {
            guard isText else {
                throw OutputError("write", path, detail: "this is no text, and - would be standard output")
            }
            return
        }
        guard case .plain(let target) = try Place(of: path) else { return }
        let folder = Durable.parent(target)
        var status = stat()
        guard unsafe stat(folder, &status) == 0 else {
            throw OutputError("write to the folder", folder, errno: errno)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw OutputError("write to the folder", folder, errno: ENOTDIR)
        }
        guard unsafe access(folder, W_OK) == 0 else {
            throw OutputError("write to the folder", folder, errno: errno)
        }
    }

    /// Where the bytes go.
    private enum Place {
        /// A plain file, or nothing yet; the path leads through no link any more.
        case plain(String)
        /// Standard output or standard error.
        case stream(Int32)
        /// A device or a pipe.
        case special

        init(of path: String) throws(OutputError) {
            guard !path.isEmpty else { throw OutputError("write", path, detail: "the name is empty") }
            var status = stat()
            guard unsafe stat(path, &status) == 0 else {
                guard errno == ENOENT else { throw OutputError("write", path, errno: errno) }
                self = .plain(try OutputFile.missing(path))
                return
            }
            if let stream = [STDOUT_FILENO, STDERR_FILENO].first(where: { Self.isSame(status, $0) }) {
                self = .stream(stream)
                return
            }
            switch status.st_mode & S_IFMT {
            case S_IFREG: self = OutputFile.resolved(path, status).map { .plain($0) } ?? .special
            case S_IFDIR: throw OutputError("write", path, detail: "it is a folder; name a file in it")
            case S_IFSOCK: throw OutputError("write", path, detail: "it is a socket")
            default: self = .special
            }
        }

        private static func isSame(_ status: stat, _ descriptor: Int32) -> Bool {
            var own = stat()
            return unsafe fstat(descriptor, &own) == 0 && own.st_dev == status.st_dev
                && own.st_ino == status.st_ino
        }
    }

    /// The path of a file without links; `nil` for one that has no name any more.
    private static func resolved(_ path: String, _ status: stat) -> String? {
        guard let real = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(real) }
        let target = unsafe String(cString: real)
        var found = stat()
        guard unsafe stat(target, &found) == 0, found.st_dev == status.st_dev, found.st_ino == status.st_ino
        else { return nil }
        return target
    }

    /// Where a file is made that is not there: where its link points to, or at the path itself.
    private static func missing(_ path: String) throws(OutputError) -> String {
        var target = path
        // As many as the kernel follows.
        for _ in 0..<40 {
            guard let next = link(target) else { return target }
            target = next.hasPrefix("/") ? next : "\(Durable.parent(target))/\(next)"
        }
        throw OutputError("write", path, errno: ELOOP)
    }

    private static func link(_ path: String) -> String? {
        var characters = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink(path, &characters, characters.count)
        guard count > 0 else { return nil }
        return String(decoding: characters.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static let written = Atomic(0)

    private static func replace(_ path: String, with bytes: [UInt8]) throws(OutputError) {
        var old = stat()
        let isThere = unsafe stat(path, &old) == 0
        // Not the file's own name with an ending: that may be as long as names can be.
        let number = written.add(1, ordering: .relaxed).newValue
        let temporary = "\(Durable.parent(path))/.autoqc-\(getpid())-\(number)\(Durable.temporarySuffix)"
        do throws(OutputError) {
            let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
            // Nobody may read what the old file kept from them, not even for a moment.
            let mode: UInt32 = isThere ? 0o600 : 0o666
            let handle = try Durable.Handle(temporary, flags: flags, mode: mode, operation: "create")
            try handle.write(bytes)
            if isThere {
                // A user who may not give files away keeps the file as their own.
                if fchown(handle.descriptor, old.st_uid, old.st_gid) != 0 {
                    _ = fchown(handle.descriptor, uid_t.max, old.st_gid)
                }
                guard fchmod(handle.descriptor, old.st_mode & 0o7777) == 0 else {
                    throw OutputError("set the mode of", temporary, errno: errno)
                }
            }
            try handle.sync()
            guard unsafe rename(temporary, path) == 0 else {
                throw OutputError("rename to", path, errno: errno)
            }
            // Some file systems cannot bring a folder to the disk.
            try? Durable.syncFolder(Durable.parent(path))
        } catch {
            unsafe unlink(temporary)
            throw error
        }
    }
}
