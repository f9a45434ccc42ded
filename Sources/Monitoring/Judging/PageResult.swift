import Acquisition
import Frames
import Ledger
import Plate

/// One page of a file on its way to being judged.
struct PageWork {
    /// What was read.
    enum Content {
        case frame(Frame)
        case failed(reason: String)
    }

    let file: FrameFile
    let page: Int
    let pages: Int
    let pixelSize: PixelSize?
    let content: Content
}

/// One page of a file with what became of it, without its pixels.
struct PageResult {
    /// What became of it.
    enum Outcome {
        case judged(Judgement)
        case failed(reason: String)
    }

    let file: FrameFile
    let page: Int
    let pages: Int
    let pixelSize: PixelSize?
    let outcome: Outcome

    init(_ work: PageWork, outcome: Outcome) {
        file = work.file
        page = work.page
        pages = work.pages
        pixelSize = work.pixelSize
        self.outcome = outcome
    }

    /// The frame: pages count on from the index in the file's name.
    var frame: FrameID {
        FrameID(run: file.frame.run, well: file.frame.well, index: file.frame.index + page)
    }

    var key: FrameKey { FrameKey(root: file.root, path: file.relativePath, page: page) }
}

extension FrameFile {
    /// The file, in the ledger's words.
    var ledgerFile: FrameLedger.File {
        FrameLedger.File(root: root, path: relativePath, identity: identity)
    }
}
