package import Plate

/// What a file's name says.
package enum NameReading: Sendable, Equatable {
    /// The file shows this frame.
    case frame(FrameID)
    /// A hidden or temporary name: nothing to report, the file is not finished or not meant for us.
    case ignored
    /// Not a frame; the sentence says why and is safe to print.
    case refused(String)
}
