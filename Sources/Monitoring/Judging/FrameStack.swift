import Acquisition
import Frames
import Ledger
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

    func result(at point: TimePoint, _ outcome: FrameRecord.Outcome, digest: PageDigest? = nil) -> PageResult
    {
        PageResult(
            file: file,
            at: point,
            pages: frames,
            digest: digest,
            pixelSize: open.pixelSize,
            outcome: outcome
        )
    }
}

/// The pages of a file that have an outcome, and which of them hold the same as they did then.
struct KnownPages {
    private let pages: [Int: FrameLedger.KnownPage]
    /// The pages that hold the same.
    private(set) var same: Set<Int> = []

    init(_ pages: [FrameLedger.KnownPage]) {
        self.pages = Dictionary(pages.map { ($0.page, $0) }) { first, _ in first }
    }

    /// Whether a page holds the same as far as that shows without decoding it.
    ///
    /// The file looks as it did and nobody closed it meanwhile; or it is a stack, of which every page is looked at again whenever
    /// it grows.
    mutating func isSame(_ page: Int, of stack: FrameStack, _ file: FrameFile) -> Bool {
        guard let known = pages[page] else { return false }
        // What could not be read has nothing to compare.
        let looksSame = known.isCurrent && (!file.mayHoldNews || known.digest == nil)
        let isSample = stack.frames > 1 && known.digest != nil
        guard looksSame || isSample && known.digest?.stored == stack.open.storedDigest(page: page) else {
            return false
        }
        same.insert(page)
        return true
    }

    /// Whether a page holds the same, by its pixels.
    mutating func isSame(_ page: Int, _ digest: PageDigest?) -> Bool {
        guard let digest, pages[page]?.digest?.pixels == digest.pixels else { return false }
        same.insert(page)
        return true
    }
}
