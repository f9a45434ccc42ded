import Acquisition
import Frames
import Ledger
import Plate
import Rules

/// One page of a file with what became of it, without its pixels.
struct PageResult {
    /// What became of it.
    enum Outcome {
        case judged(JudgedFrame)
        case failed(reason: String)
    }

    let file: FrameFile
    let page: Int
    let pages: Int
    let pixelSize: PixelSize?
    let outcome: Outcome

    /// Whether it waits to be written with pictures, which take megabytes.
    var hasPictures: Bool {
        guard case .judged(let frame) = outcome else { return false }
        return frame.pictures != nil
    }

    /// The frame: pages count on from the index in the file's name.
    var frame: FrameID {
        FrameID(run: file.frame.run, well: file.frame.well, index: file.frame.index + page)
    }

    /// Where it stands among the frames of its well.
    var place: WellSequence.Place {
        WellSequence.Place(index: frame.index, modified: file.identity.modified)
    }

    var key: FrameKey { FrameKey(root: file.root, path: file.relativePath, page: page) }
}

extension FrameFile {
    /// The file, in the ledger's words.
    var ledgerFile: FrameLedger.File {
        FrameLedger.File(root: root, path: relativePath, identity: identity)
    }
}
