import Logging

/// The keys of this module's log lines.
enum LogKey: String {
    /// Path of a file under its watched folder.
    case file
    /// A watched folder.
    case folder
    /// Why something happened.
    case reason
    /// How long until the next attempt.
    case retryAfter = "retry_after"
    /// How many.
    case count
    /// Name of the model.
    case model
    /// A part of the daemon.
    case part
    /// How long a part has been silent.
    case silence
    /// The time that judging would take for all waiting frames.
    case lag
    /// What is done to keep up.
    case measures
}

extension Logger.Metadata {
    /// Metadata with keys of this module only.
    init(_ values: [LogKey: Logger.MetadataValue]) {
        self.init(uniqueKeysWithValues: values.map { ($0.key.rawValue, $0.value) })
    }
}
