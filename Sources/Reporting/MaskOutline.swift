import Mathematics
package import Plate

/// The outlines of a mask's regions as polygons along the edges of pixels.
///
/// A region is a set of faulty pixels that share edges (4-connected). Corners are in pixel coordinates: (0, 0) is
/// the top left corner of the top left pixel. Outer rings run clockwise on the screen, holes the other way; every
/// ring is closed, visits no corner twice, and has corners only where its direction changes.
package struct MaskOutline: Sendable, Equatable {
    /// A corner of pixels.
    package struct Corner: Hashable, Sendable {
        /// Columns from the left edge of the frame.
        package let x: Int
        /// Rows from the top edge of the frame.
        package let y: Int
    }

    /// One region of faulty pixels.
    package struct Region: Sendable, Equatable {
        /// Pixels in it.
        package let pixels: Int
        /// The outer ring first, then the holes; the last corner of each ring is its first.
        package let rings: [[Corner]]
    }

    /// The regions, largest first; equal ones as they are read from the top left.
    package let regions: [Region]

    /// Traces the largest regions of a mask, `limit` at most: a mask of noise must not make a huge file.
    package init(_ mask: Mask, limit: Int = 500) {
        let labels = PixelLabels(mask, connectivity: .four)
        let largest = labels.largestFirst
        var rings: [Int: [[Corner]]] = [:]
        for label in largest.prefix(limit) { rings[label] = [] }
        RingTracer(labels: labels).trace { label, ring in rings[label]?.append(ring) }
        regions = largest.prefix(limit).map { label in
            let sorted = (rings[label] ?? []).sorted { Self.isOuter($0) && !Self.isOuter($1) }
            return Region(pixels: labels.sizes[label], rings: sorted)
        }
    }

    /// Whether a ring runs clockwise on the screen.
    static func isOuter(_ ring: [Corner]) -> Bool {
        zip(ring, ring.dropFirst()).reduce(0) { $0 + $1.0.x * $1.1.y - $1.1.x * $1.0.y } > 0
    }
}

/// The regions of a mask, numbered: 0 for normal pixels, 1 for the largest region, 2 for the next.
///
/// Regions are those of `MaskOutline`. What comes after 65,535 of them is 0.
package struct LabelImage: Sendable, Equatable {
    /// Rows.
    package let height: Int
    /// Columns.
    package let width: Int
    /// `height * width` numbers, row by row from the top left.
    package let values: [UInt16]
    /// Pixels of each region, the largest first.
    package let sizes: [Int]

    /// Numbers the regions of a mask.
    package init(_ mask: Mask) {
        let labels = PixelLabels(mask, connectivity: .four)
        let order = labels.largestFirst
        var numbers = [UInt16](repeating: 0, count: labels.sizes.count)
        for (number, label) in order.prefix(Int(UInt16.max)).enumerated() {
            numbers[label] = UInt16(number + 1)
        }
        height = mask.height
        width = mask.width
        values = labels.labels.map { $0 < 0 ? 0 : numbers[Int($0)] }
        sizes = order.map { labels.sizes[$0] }
    }

    /// The numbers as grey values, to be written as a TIFF of 16 bit.
    package var frame: Frame {
        Frame(height: height, width: width, pixels: values.map { Float($0) })
    }
}

/// Walks along the edges between a region and what is not of it, the region on the right hand.
private struct RingTracer {
    /// Steps of one edge: east, south, west, north.
    private static let steps = [(x: 1, y: 0), (x: 0, y: 1), (x: -1, y: 0), (x: 0, y: -1)]
    /// The pixel ahead on the right of a corner, for each direction; the one ahead on the left is the previous.
    private static let ahead = [(x: 0, y: 0), (x: -1, y: 0), (x: -1, y: -1), (x: 0, y: -1)]

    let labels: PixelLabels

    func trace(_ body: (Int, [MaskOutline.Corner]) -> Void) {
        // Every ring has an edge that runs east along the top of one of its pixels: start from those.
        var visited = [Bool](repeating: false, count: labels.labels.count)
        for y in 0..<labels.height {
            for x in 0..<labels.width {
                let label = labels.labels[y * labels.width + x]
                guard label >= 0, labels.label(x: x, y: y - 1) != label, !visited[y * labels.width + x] else {
                    continue
                }
                let walk = walk(fromX: x, y: y, label: label, visited: &visited)
                for ring in split(walk) { body(Int(label), ring) }
            }
        }
    }

    /// The corners where the walk changes its direction, back to its first edge.
    private func walk(fromX x: Int, y: Int, label: Int32, visited: inout [Bool]) -> [MaskOutline.Corner] {
        var corners: [MaskOutline.Corner] = []
        var (column, row, direction) = (x, y, 0)
        repeat {
            if direction == 0 { visited[row * labels.width + column] = true }
            column += Self.steps[direction].x
            row += Self.steps[direction].y
            let right = Self.ahead[direction]
            let left = Self.ahead[(direction + 3) % 4]
            if labels.label(x: column + right.x, y: row + right.y) != label {
                direction = (direction + 1) % 4
            } else if labels.label(x: column + left.x, y: row + left.y) == label {
                direction = (direction + 3) % 4
            } else {
                continue
            }
            corners.append(MaskOutline.Corner(x: column, y: row))
        } while (column, row, direction) != (x, y, 0)
        return corners
    }

    /// Cuts a walk that comes back to a corner, where pixels touch only there, into rings that do not.
    private func split(_ corners: [MaskOutline.Corner]) -> [[MaskOutline.Corner]] {
        var rings: [[MaskOutline.Corner]] = []
        var open: [MaskOutline.Corner] = []
        var position: [MaskOutline.Corner: Int] = [:]
        for corner in corners {
            if let first = position[corner] {
                let ring = Array(open[first...])
                rings.append(ring + [corner])
                for passed in ring { position[passed] = nil }
                open.removeSubrange(first...)
            }
            position[corner] = open.count
            open.append(corner)
        }
        if let first = open.first { rings.append(open + [first]) }
        return rings
    }
}
