private import CZip
internal import Glibc

/// A zip archive opened for reading by libzip; closed when it goes.
///
/// Only stored entries are read, as `torch.save` writes them: what an entry takes in memory, the file has on disk.
///
/// Safe because the pointer is private, lives as long as the archive and is never handed out.
@safe final class ZipArchive {
    struct Entry {
        let name: String
        /// Bytes, as the directory of the archive states them.
        let size: UInt64
        fileprivate let index: UInt64
        fileprivate let isStored: Bool
    }

    private let path: String
    private let archive: OpaquePointer

    init(path: String) throws(CheckpointError) {
        var code: Int32 = 0
        guard let archive = unsafe zip_open(path, ZIP_RDONLY, &code) else {
            throw Self.failure(path, "is a cut or damaged zip archive", code: code)
        }
        self.path = path
        unsafe self.archive = archive
    }

    /// Opens an archive in memory; `path` is for messages.
    init(bytes: [UInt8], path: String) throws(CheckpointError) {
        // libzip frees the copy with the source.
        guard let copy = unsafe malloc(max(bytes.count, 1)) else {
            throw CheckpointError(.tooLarge, path, "does not fit into memory")
        }
        unsafe bytes.withUnsafeBytes { source in
            if let base = source.baseAddress { unsafe copy.copyMemory(from: base, byteCount: source.count) }
        }
        var error = unsafe zip_error_t()
        guard let source = unsafe zip_source_buffer_create(copy, UInt64(bytes.count), 1, &error) else {
            unsafe free(copy)
            throw Self.failure(path, "is a cut or damaged zip archive", code: unsafe error.zip_err)
        }
        guard let archive = unsafe zip_open_from_source(source, ZIP_RDONLY, &error) else {
            unsafe zip_source_free(source)
            throw Self.failure(path, "is a cut or damaged zip archive", code: unsafe error.zip_err)
        }
        self.path = path
        unsafe self.archive = archive
    }

    deinit { unsafe zip_discard(archive) }

    /// Every entry, in the order of the archive's directory; those whose name is not UTF-8 are left out.
    func entries() throws(CheckpointError) -> [Entry] {
        var entries: [Entry] = []
        for index in 0..<UInt64(max(unsafe zip_get_num_entries(archive, 0), 0)) {
            var status = unsafe zip_stat_t()
            guard unsafe zip_stat_index(archive, index, 0, &status) == 0 else {
                throw CheckpointError(
                    .damaged,
                    path,
                    "entry \(index) of the archive cannot be found: \(unsafe message(zip_get_error(archive)))"
                )
            }
            guard let text = unsafe status.name, let name = unsafe String(validatingCString: text) else {
                continue
            }
            let entry = unsafe Entry(
                name: name,
                size: status.size,
                index: index,
                isStored: status.comp_method == UInt16(ZIP_CM_STORE)
            )
            entries.append(entry)
        }
        return entries
    }

    /// All bytes of an entry, whose size the caller has found fit; the archive's checksum is verified.
    func read(_ entry: Entry) throws(CheckpointError) -> [UInt8] {
        guard entry.isStored else {
            throw CheckpointError(
                .unsupported,
                path,
                "entry \(entry.name.printable) is compressed, as torch.save never leaves it"
            )
        }
        guard let file = unsafe zip_fopen_index(archive, entry.index, 0) else {
            throw damaged(entry, unsafe message(zip_get_error(archive)))
        }
        defer { unsafe _ = zip_fclose(file) }
        var bytes = [UInt8](repeating: 0, count: Int(entry.size))
        var filled = 0
        while filled < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                guard let base = buffer.baseAddress else { return Int64(0) }
                return unsafe zip_fread(file, base + filled, UInt64(buffer.count - filled))
            }
            guard count > 0 else { throw damaged(entry, unsafe message(zip_file_get_error(file))) }
            filled += Int(count)
        }
        // The checksum is compared when the end is read.
        var beyond: UInt8 = 0
        let rest = unsafe zip_fread(file, &beyond, 1)
        guard rest == 0 else {
            throw damaged(entry, rest < 0 ? unsafe message(zip_file_get_error(file)) : "longer than stated")
        }
        return bytes
    }

    private func damaged(_ entry: Entry, _ reason: String) -> CheckpointError {
        CheckpointError(
            .damaged,
            path,
            "entry \(entry.name.printable) of the archive cannot be read: \(reason)"
        )
    }

    private func message(_ error: UnsafeMutablePointer<zip_error_t>) -> String {
        unsafe String(cString: zip_error_strerror(error))
    }

    private static func failure(_ path: String, _ clause: String, code: Int32) -> CheckpointError {
        var error = unsafe zip_error_t()
        unsafe zip_error_init_with_code(&error, code)
        defer { unsafe zip_error_fini(&error) }
        let text = unsafe String(cString: zip_error_strerror(&error))
        return CheckpointError(.damaged, path, "\(clause) (\(text))")
    }
}
