/// Why a safetensors file was refused.
public struct SafeTensorsError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of refusal.
    public enum Code: Sendable, Equatable {
        /// The file could not be opened or read.
        case cannotRead
        /// The file could not be written.
        case cannotWrite
        /// The file is of another kind.
        case notSafeTensors
        /// The file ends before what its header promises, or goes on after it.
        case wrongLength
        /// The header is not what the format asks for.
        case damagedHeader
        /// A tensor that should be there is not, or has another shape or type.
        case unfitTensor
    }

    /// What kind of refusal.
    public let code: Code
    /// The file.
    public let path: String
    /// What is wrong, in words.
    public let detail: String

    /// A sentence that names file and fault.
    public var description: String { "\(path): \(detail)" }
}
