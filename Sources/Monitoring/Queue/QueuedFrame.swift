import Acquisition
import Plate

/// A file that waits to be judged.
struct QueuedFrame: Sendable, Equatable {
    /// The file.
    let file: FrameFile
    /// How often it was tried in vain.
    var attempts = 0
    /// Why it never became whole; such a frame is quarantined without being read.
    var givenUp: String?
    /// Whether it lay there at the start; how long such frames wait says nothing of keeping up with the microscope.
    var isFromStart = false

    /// Whether it is earlier in the order of time.
    func comes(before other: QueuedFrame) -> Bool { order < other.order }

    fileprivate var order: (Int, String, String) {
        (file.frame.index, file.source.root, file.source.path)
    }
}

extension ArraySlice<QueuedFrame> {
    /// Puts a frame where it belongs in the order of time; `false` where it took the place of the same file.
    mutating func place(_ frame: QueuedFrame) -> Bool {
        let (index, isTaken) = firstPlace(of: frame)
        if isTaken {
            self[index] = frame
        } else if index == endIndex {
            // Unlike an insertion, it grows the slice ahead.
            append(frame)
        } else {
            insert(frame, at: index)
        }
        return !isTaken
    }

    /// Whether the same file is there, with whatever content.
    func holds(_ frame: QueuedFrame) -> Bool { firstPlace(of: frame).isTaken }

    /// Where a frame belongs, and whether the same file is there; most come last.
    private func firstPlace(of frame: QueuedFrame) -> (index: Int, isTaken: Bool) {
        guard let last, last.order >= frame.order else { return (endIndex, false) }
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].order < frame.order { low = middle + 1 } else { high = middle }
        }
        return (low, low < endIndex && self[low].order == frame.order)
    }
}
