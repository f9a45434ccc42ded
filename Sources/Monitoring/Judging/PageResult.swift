import Acquisition
import Frames
import Plate

/// One page of a file with what became of it, without its pixels.
struct PageResult {
    /// Where it comes from.
    let source: FrameSource
    /// The frame; pages count on from the index in the file's name.
    let frame: FrameID
    /// Pages of the file.
    let pages: Int
    /// When the file was complete on disk.
    let completed: Timestamp
    let pixelSize: PixelSize?
    /// What became of it; a judgement of a faulty frame has its pictures.
    let outcome: FrameRecord.Outcome

    init(
        file: FrameFile,
        page: Int = 0,
        pages: Int = 1,
        pixelSize: PixelSize? = nil,
        outcome: FrameRecord.Outcome
    ) {
        source = file.source.page(page)
        frame = FrameID(run: file.frame.run, well: file.frame.well, index: file.frame.index + page)
        self.pages = pages
        completed = file.completed
        self.pixelSize = pixelSize
        self.outcome = outcome
    }

    /// When the file was last written; without a content to say so, when it was complete.
    var modified: Timestamp { source.identity?.modified ?? completed }

    /// Whether it waits to be written with pictures, which take megabytes.
    var hasPictures: Bool {
        guard case .judged(let judgement) = outcome else { return false }
        return judgement.pictures != nil
    }
}
