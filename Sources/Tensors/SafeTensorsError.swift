/// Why a safetensors file was refused.
package struct SafeTensorsError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of refusal.
    package enum Code: Sendable, Equatable {
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
    package let code: Code
    /// The file.
    package let path: String
    /// What is wrong, in words.
    package let detail: String

    /// A sentence that names file and fault.
    package var description: String { "\(path): \(detail)" }
}
