/// What a folder watcher tells.
///
/// Paths in `skipped`, `degraded` and `rootMissing` and all sentences are safe to
/// print: control characters and bytes that are not UTF-8 stand as `\xNN`.
package enum AcquisitionEvent: Sendable, Equatable {
    /// A complete frame, once per content.
    case frame(FrameFile)
    /// A file or folder that is not taken, once, and why.
    case skipped(path: String, reason: String)
    /// A frame that did not become whole although nothing was written to it any more, and what it lacks.
    case abandoned(FrameFile, reason: String)
    /// So many frames lay there at the first listing that were known before; told once, before `listed`, if there are any.
    case known(Int)
    /// All folders are watched and the first listing of them is done; so many frames lay there that
    /// were not known before.
    case listed(Int)
    /// Events were lost because they came faster than they could be read; every folder was looked through
    /// again, so many frames lay there, and none is lost.
    case overflow(rescanned: Int)
    /// The watcher works, but later or dearer than it should: what to do about it.
    case degraded(reason: String)
    /// A watched folder is not there (any more); it is taken up as soon as it is.
    case rootMissing(path: String)
}
