/// Why a model file was refused or could not be written.
package struct ModelError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of refusal.
    package enum Code: Sendable, Equatable {
        /// The file is not there, not readable, cut or damaged.
        case unreadable
        /// A safetensors file, but not a model of this program.
        case notAModel
        /// Written by another version of the format.
        case unknownVersion
        /// The content is not what was written.
        case altered
        /// The weights do not fit the architecture that the file names.
        case unfitWeights
        /// The settings that the file names cannot be built.
        case unfitSettings
        /// The precision asked for cannot be had with this model or on this CPU.
        case unfitPrecision
        /// The model has no thresholds yet.
        case notCalibrated
        /// Not of the `realtime` profile, and so too slow to keep up with a plate.
        case notRealtime
        /// The file could not be written.
        case cannotWrite
    }

    /// What kind of refusal.
    package let code: Code
    /// The model file.
    package let path: String
    /// What is wrong and what to do.
    package let detail: String

    /// Names the refusal.
    package init(code: Code, path: String, detail: String) {
        self.code = code
        self.path = path
        self.detail = detail
    }

    /// A sentence that names file, fault and remedy.
    package var description: String { "model \(path): \(detail)" }
}
