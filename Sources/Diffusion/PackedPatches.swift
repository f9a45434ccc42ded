import Mathematics
package import Plate

/// Every second patch of each row of patches, side by side: half of a frame for what is done to each pixel.
///
/// An image that is unpacked again shows each patch that was left out as the patch to its left, and the first of a row as the one
/// to its right. So its values have the statistics of a whole frame, with which thresholds were found.
package struct PackedPatches: Sendable, Equatable {
    /// Size of the frame.
    package let height, width: Int
    private let phases: PatchPhases
    private let selection: PatchSelection

    /// Packs one half of the patches; `nil` for all of them, and for a frame too narrow for two in a row.
    init?(_ selection: PatchSelection, of phases: PatchPhases, height: Int, width: Int) {
        guard selection != .all, width >= 2 * phases.patch else { return nil }
        (self.selection, self.phases, self.height, self.width) = (selection, phases, height, width)
    }

    /// For each tile of a frame that is divided into squares of `side` pixels, the number of the tile that it shows; `nil` where tiles
    /// do not fit into patches.
    package func tilesShown(side: Int) -> [Int]? {
        guard phases.patch.isMultiple(of: side) else { return nil }
        let (rows, columns, across) = (height / side, width / side, phases.patch / side)
        return (0..<rows * columns).map { tile in
            let patch = tile % columns / across
            return tile + across * (source(of: patch, line: tile / columns * side) - patch)
        }
    }

    /// The patch of the same row that is shown in the place of a patch.
    private func source(of patch: Int, line: Int) -> Int {
        (patch - first(line: line)).isMultiple(of: 2) ? patch : patch > 0 ? patch - 1 : 1
    }

    private var patches: Int { (width + phases.patch - 1) / phases.patch }

    /// Columns of a packed image.
    package var packedWidth: Int { (patches + 1) / 2 * phases.patch }

    /// For each line of pixels the patches that are kept, by number; position k of the packed line has the one of number
    /// `first + 2 k`.
    private func first(line: Int) -> Int {
        selection.includes(phase: phases.phase(row: line, column: 0)) ? 0 : 1
    }

    /// The columns of a patch; empty beyond the frame.
    private func columns(_ patch: Int) -> Range<Int> {
        min(patch * phases.patch, width)..<min((patch + 1) * phases.patch, width)
    }

    /// Packs an image; what remains at the end of a line is 0.
    func packed(_ image: [Float]) -> [Float] {
        precondition(image.count == height * width, "\(image.count) pixels are not \(height) x \(width)")
        return unsafe image.withUnsafeBufferPointer { image in
            unsafe [Float](filling: height * packedWidth) { to in
                guard let from = image.baseAddress else { return }
                for line in 0..<height {
                    var place = unsafe to + line * packedWidth
                    for patch in stride(from: first(line: line), to: patches, by: 2) {
                        let columns = columns(patch)
                        unsafe place.initialize(
                            from: from + line * width + columns.lowerBound,
                            count: columns.count
                        )
                        unsafe place += columns.count
                    }
                    let rest = unsafe to + (line + 1) * packedWidth - place
                    unsafe place.initialize(repeating: 0, count: rest)
                }
            }
        }
    }

    /// The same map with 0 in the patches that were left out.
    package func withoutCopies(_ map: consuming ScoreMap) -> ScoreMap {
        unsafe map.values.withUnsafeMutableBufferPointer { values in
            guard let start = values.baseAddress else { return }
            for line in 0..<height {
                for patch in 0..<patches where source(of: patch, line: line) != patch {
                    let columns = columns(patch)
                    unsafe (start + line * width + columns.lowerBound)
                        .update(repeating: 0, count: columns.count)
                }
            }
        }
        return map
    }

    /// A map of the frame's size from one of a packed image.
    package func unpacked(_ map: ScoreMap) -> ScoreMap {
        precondition(
            map.height == height && map.width == packedWidth,
            "a map of \(map.height) x \(map.width) is not packed from \(height) x \(width)"
        )
        let values = unsafe [Float](filling: height * width) { to in
            unsafe map.values.withUnsafeBufferPointer { values in
                guard let from = values.baseAddress else { return }
                for line in 0..<height {
                    let first = first(line: line)
                    for patch in 0..<patches {
                        let columns = columns(patch)
                        let position = max(patch - first, 0) / 2
                        unsafe (to + line * width + columns.lowerBound)
                            .update(
                                from: from + line * packedWidth + position * phases.patch,
                                count: columns.count
                            )
                    }
                }
            }
        }
        return ScoreMap(height: height, width: width, values: values)
    }
}
