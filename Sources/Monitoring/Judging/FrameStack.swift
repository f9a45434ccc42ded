import Acquisition
import Frames
import Plate

/// The frames of an open file: which are there, and which is the first that is not.
struct FrameStack {
    let open: any OpenFrames
    /// Whether the frames that are not there may still come without a new event.
    let isComing: Bool
    /// What can be read now, and the first frame that cannot.
    private(set) var presence: FramePresence
    private let file: FrameFile

    /// Frames that the ledger has a row for once the file is done with: one row stands for all that are missing.
    ///
    /// One more than there are now while others may come, so that the file is not settled.
    var frames: Int { max(1, presence.there.count + (presence.missing == nil ? 0 : 1)) }

    init(_ open: any OpenFrames, _ file: FrameFile, isComing: Bool) throws(FrameReadError) {
        (self.open, self.file, self.isComing) = (open, file, isComing)
        presence = try open.presence(isFinished: !isComing)
    }

    /// Notes that a frame cannot be read after all.
    mutating func lacks(_ point: TimePoint, _ error: FrameReadError) {
        presence.there.removeAll { $0 == point }
        presence.missing = presence.missing ?? (point, error)
    }

    func result(at point: TimePoint, _ outcome: FrameRecord.Outcome) -> PageResult {
        var digest: UInt64?
        if case .judged = outcome { digest = open.digest(page: point.page) }
        return PageResult(
            file: file,
            at: point,
            pages: frames,
            digest: digest,
            pixelSize: open.pixelSize,
            outcome: outcome
        )
    }
}
