public import Plate

/// A file on disk that is a complete frame.
public struct FrameFile: Sendable, Equatable {
    /// How the file was found.
    public enum Discovery: String, Sendable {
        /// Its writer closed it.
        case closed
        /// It was renamed or moved to its place.
        case moved
        /// It lay there when its folder was looked through.
        case listed
    }

    /// Absolute path.
    public let path: String
    /// The watched folder that it lies under, absolute.
    public let root: String
    /// Path below the root.
    public let relativePath: String
    /// The frame that its name tells.
    public let frame: FrameID
    /// The content that was checked.
    public let identity: FileIdentity
    /// When it was found to be complete (for an abandoned file: when it was given up).
    public let completed: Timestamp
    /// How it was found.
    public let found: Discovery

    /// Gathers what is known of a file.
    public init(
        path: String,
        root: String,
        relativePath: String,
        frame: FrameID,
        identity: FileIdentity,
        completed: Timestamp,
        found: Discovery
    ) {
        self.path = path
        self.root = root
        self.relativePath = relativePath
        self.frame = frame
        self.identity = identity
        self.completed = completed
        self.found = found
    }
}
