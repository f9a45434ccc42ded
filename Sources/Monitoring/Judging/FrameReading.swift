import Foundation
import Frames
import Plate

/// Opens files of frames; the seam between the daemon and the disk.
protocol FrameReading: Sendable {
    /// Opens a file, without reading its pixels.
    func open(_ path: String) throws(FrameReadError) -> any OpenFrames
}

/// An open file of one or more frames of a time series.
protocol OpenFrames {
    /// Its frames in order of time; their pixels may not be there yet.
    var frames: [TimePoint] { get }
    /// Whether frames that the file counts have no directory, so that they are not among `frames`.
    var isIncomplete: Bool { get }
    /// What to know of the choice of channel and z-plane; `nil` where there was none.
    var note: String? { get }
    /// Size of a pixel in um, where the file says it.
    var pixelSize: PixelSize? { get }
    /// Whether there is such a page, a frame or not.
    func hasPage(_ page: Int) -> Bool
    /// The frames whose pixels are there, and the first frame that is not; with `isFinished`, no more are expected.
    func presence(isFinished: Bool) throws(FrameReadError) -> FramePresence
    /// A digest of samples of what is stored of the page; `nil` where that cannot be read.
    func storedDigest(page: Int) -> UInt64?
    /// Reads one page, counted from 0.
    func frame(page: Int) throws(FrameReadError) -> Frame
}

/// A file that could not be read, and what that says of it.
struct FrameReadError: Error, Sendable, Equatable {
    enum Kind: Sendable {
        /// It may still be in the course of being written.
        case unfinished
        /// Nothing was seen of it: no right, a lock, a share that is away, or the file is gone.
        case unseen
        /// Its content is no frame that can be judged.
        case unreadable
    }

    let kind: Kind
    let reason: String
}

/// Which frames of a file are there, and the first that is not, with the reason.
struct FramePresence {
    var there: [TimePoint]
    var missing: (frame: TimePoint, error: FrameReadError)?
}

struct TIFFFrameReader: FrameReading {
    let limits: TIFFLimits
    var choice = PlaneChoice()

    func open(_ path: String) throws(FrameReadError) -> any OpenFrames {
        do {
            return TIFFFrames(reader: try TIFFReader(path: path, limits: limits, choice: choice))
        } catch {
            throw FrameReadError(error)
        }
    }

    private struct TIFFFrames: OpenFrames {
        let reader: TIFFReader

        var frames: [TimePoint] { reader.frames }
        var isIncomplete: Bool { reader.missing != nil }
        var note: String? { reader.note }
        var pixelSize: PixelSize? { reader.pixelSize }

        func hasPage(_ page: Int) -> Bool { 0..<reader.pageCount ~= page }

        func presence(isFinished: Bool) throws(FrameReadError) -> FramePresence {
            do {
                let found = try reader.presence(isFinished: isFinished)
                let missing = found.missing.map { ($0.frame, FrameReadError($0.error)) }
                return FramePresence(there: found.there, missing: missing)
            } catch {
                throw FrameReadError(error)
            }
        }

        func storedDigest(page: Int) -> UInt64? { try? reader.storedDigest(page: page) }

        func frame(page: Int) throws(FrameReadError) -> Frame {
            do {
                return try reader.frame(page: page)
            } catch {
                throw FrameReadError(error)
            }
        }
    }
}

extension FrameReadError {
    init(_ error: TIFFError) {
        let isUnseen = error.isUnreachable || error.isAbsence
        self.init(
            kind: error.isRetriable ? .unfinished : isUnseen ? .unseen : .unreadable,
            reason: error.description
        )
    }
}
