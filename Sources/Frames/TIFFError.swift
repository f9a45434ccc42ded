/// Why a TIFF file was not read or written: what is wrong, where, and what to do about it.
///
/// | code | what to do |
/// |---|---|
/// | `cannotOpen` | check the path, the permissions and the share |
/// | `notTIFF` | wait if the file is still being written; otherwise it is some other kind of file |
/// | `truncated` | wait if the file is still being written; otherwise it was cut: acquire or copy it again |
/// | `unsupported` | save the frame as unsigned or float grey, with no or lossless compression |
/// | `tooLarge` | raise the `TIFFLimits` if the size is meant |
/// | `tooSlow` | look at the share, or raise the `TIFFLimits` if such pages are meant |
/// | `damaged` | acquire or copy the file again |
/// | `cannotWrite` | check the permissions and the free space of the folder |
package struct TIFFError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure, each with its own remedy.
    package enum Code: String, Sendable, Equatable, CaseIterable {
        /// The operating system did not open or read the file.
        case cannotOpen
        /// The file does not begin as a TIFF file does.
        case notTIFF
        /// Something that the file refers to lies behind its end.
        case truncated
        /// A valid file of a kind that is not a grey frame this system reads.
        case unsupported
        /// Larger than the limits allow.
        case tooLarge
        /// Reading and decoding took longer than the limits allow.
        case tooSlow
        /// The file contradicts itself, or its compressed data do not decode.
        case damaged
        /// The file could not be written.
        case cannotWrite
    }

    /// The kind of failure.
    package let code: Code
    /// The file, as it was named by the caller.
    package let path: String
    /// What is wrong and where, as a clause without a full stop.
    package let detail: String
    /// The operating system's error number, where it gave one.
    package let errno: Int32?

    /// Describes a failure; `detail` is a clause such as "strip 3 ends behind the end of the file".
    package init(code: Code, path: String, detail: String, errno: Int32? = nil) {
        self.code = code
        self.path = path
        self.detail = detail
        self.errno = errno
    }

    /// Whether the same file may be readable later, because it may still be in the course of being written.
    package var isRetriable: Bool { code == .truncated || code == .notTIFF }

    /// A full sentence: what is wrong, where, and what to do.
    package var description: String {
        let number = errno.map { " (errno \($0))" } ?? ""
        return "\(path): \(detail)\(number); \(remedy)."
    }

    private var remedy: String {
        switch code {
        case .cannotOpen: "check the path, the permissions and the share"
        case .notTIFF: "wait if it is still being written, otherwise it is not a frame"
        case .truncated: "wait if it is still being written, otherwise acquire or copy it again"
        case .unsupported: "save frames as unsigned or float grey with no or lossless compression"
        case .tooLarge: "raise the limits if this size is meant"
        case .tooSlow: "look at the share it lies on, or raise the limit if such pages are meant"
        case .damaged: "acquire or copy it again"
        case .cannotWrite: "check the permissions and the free space"
        }
    }
}
