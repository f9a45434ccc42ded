package import Plate

/// A file on disk that is a complete frame.
package struct FrameFile: Sendable, Equatable {
    /// How the file was found.
    package enum Discovery: String, Sendable {
        /// Its writer closed it.
        case closed
        /// It was renamed or moved to its place.
        case moved
        /// It lay there when its folder was looked through.
        case listed
    }

    /// Absolute path.
    package let path: String
    /// The watched folder that it lies under, absolute.
    package let root: String
    /// Path below the root.
    package let relativePath: String
    /// The frame that its name tells.
    package let frame: FrameID
    /// The content that was checked.
    package let identity: FileIdentity
    /// When it was found to be complete (for an abandoned file: when it was given up).
    package let completed: Timestamp
    /// How it was found.
    package let found: Discovery

    /// Gathers what is known of a file.
    package init(
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
