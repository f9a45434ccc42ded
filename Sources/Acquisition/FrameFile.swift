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

    /// Where it lies, with the content that was checked.
    package let source: FrameSource
    /// The frame that its name tells.
    package let frame: FrameID
    /// When it was found to be complete (for an abandoned file: when it was given up).
    package let completed: Timestamp
    /// How it was found.
    package let found: Discovery

    /// Gathers what is known of a file.
    package init(
        source: FrameSource,
        frame: FrameID,
        completed: Timestamp,
        found: Discovery
    ) {
        self.source = source
        self.frame = frame
        self.completed = completed
        self.found = found
    }

    /// Absolute path.
    package var path: String { source.absolutePath }

    /// When it was last written; without a content to say so, when it was complete.
    package var modified: Timestamp { source.identity?.modified ?? completed }
}
