/// Why a PNG image was not read or written.
package struct PNGError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure.
    package enum Code: String, Sendable, Equatable, CaseIterable {
        /// The file cannot be read, or is not a PNG image, or is damaged.
        case cannotRead
        /// A valid image that is not 8-bit grey, or too large.
        case unsupported
        /// The file could not be written, or there is no memory to encode it.
        case cannotWrite
    }

    /// The kind of failure.
    package let code: Code
    /// The file; empty where the image was only encoded.
    package let path: String
    /// What is wrong, as a clause without a full stop.
    package let detail: String
    /// The operating system's error number, where it gave one.
    package let errno: Int32?

    /// Describes a failure.
    package init(code: Code, path: String, detail: String, errno: Int32? = nil) {
        self.code = code
        self.path = path
        self.detail = detail
        self.errno = errno
    }

    /// A full sentence.
    package var description: String {
        let number = errno.map { " (errno \($0))" } ?? ""
        return "\(path.isEmpty ? "a PNG image" : path): \(detail)\(number)."
    }
}
