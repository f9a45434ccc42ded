import Frames
import Ledger
import Plate

/// Whether a file that looks otherwise than it did, as after a copy, a touch or a restore, still holds what was judged.
enum KeptContent {
    /// Whether all pages with an outcome hold the same, and there are as many as the file has frames.
    static func isWhole(_ pages: [FrameLedger.KnownPage], of path: String) -> Bool {
        guard let frames = pages.map(\.pages).max(), pages.count >= frames,
            let reader = try? TIFFReader(path: path)
        else { return false }
        return pages.allSatisfy { page in
            guard let digest = page.digest else { return page.isCurrent }
            if frames > 1, let stored = try? reader.storedDigest(page: page.page) {
                return stored == digest.stored
            }
            return (try? reader.frame(page: page.page))?.digest == digest.pixels
        }
    }
}
