/// Why a PNG image was not read or written.
public struct PNGError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure.
    public enum Code: String, Sendable, Equatable, CaseIterable {
        /// The file cannot be read, or is not a PNG image, or is damaged.
        case cannotRead
        /// A valid image that is not 8-bit grey, or too large.
        case unsupported
        /// The file could not be written, or there is no memory to encode it.
        case cannotWrite
    }

    /// The kind of failure.
    public let code: Code
    /// The file; empty where the image was only encoded.
    public let path: String
    /// What is wrong, as a clause without a full stop.
    public let detail: String
    /// The operating system's error number, where it gave one.
    public let errno: Int32?

    /// Describes a failure.
    public init(code: Code, path: String, detail: String, errno: Int32? = nil) {
        self.code = code
        self.path = path
        self.detail = detail
        self.errno = errno
    }

    /// A full sentence.
    public var description: String {
        let number = errno.map { " (errno \($0))" } ?? ""
        return "\(path.isEmpty ? "a PNG image" : path): \(detail)\(number)."
    }
}
