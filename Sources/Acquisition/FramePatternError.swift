/// Why a file-name pattern cannot be used.
package struct FramePatternError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong with the pattern.
    package enum Code: Sendable, Equatable {
        /// Nothing to match.
        case empty
        /// A brace that is not part of a known field.
        case unknownField
        /// A field that stands twice.
        case repeatedField
        /// No `{well}`: frames could not be told apart.
        case noWell
        /// An absolute path, an empty folder name, `.` or `..`, or a control character.
        case notARelativePath
    }

    /// What is wrong.
    package let code: Code
    /// The pattern as it was given.
    package let pattern: String
    /// A sentence for the person who wrote the pattern.
    package let detail: String

    /// The sentence.
    package var description: String { "file-name pattern '\(pattern)': \(detail)" }
}
