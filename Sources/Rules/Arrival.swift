import CKernels
import Mathematics
package import Plate

/// A particle or a hair that has come into a view of a well and stays there.
///
/// Among cells it changes no figure of the whole frame.
///
/// A frame is compared with the last quiet frame of its view, of which the most detail within 12 pixels of a place counts: cells may
/// move so far. What the frame has more, as a mean over 20 x 20 pixels, is new in that place. Over all frames since the quiet one
/// the least of it counts, so what moves on is new no more, and what stays is. Cells come in over the border; 24 pixels there are
/// not looked at.
///
/// A cell that settles is new, too. So what is new counts by how much its tiles look like a known fault (`Arrival.likeness`).
package struct ArrivalRule: Sendable {
    /// The most that is new in one place.
    package struct Arrival: Sendable, Equatable {
        /// Its contrast, in hundredths of the background.
        package let size: Double
        /// Its likeness to a fault, from 0 to 1.
        let likeness: Double
        /// Its middle, in pixels from the left.
        package let x: Int
        /// Its middle, in pixels from the top.
        package let y: Int
    }

    private struct Reference: Sendable {
        let rows: Int
        let columns: Int
        /// The most detail near each block.
        let around: [UInt8]
        /// The least that was new in each block since; `nil` before the first frame after it.
        var lasting: [UInt16]?
    }

    /// Blocks at the border that are not looked at.
    private static let border = 6
    /// Steps of the excess, a sum over 5 x 5 blocks in half hundredths, in a hundredth of the mean.
    private static let steps = 50.0
    /// Fault logits of tiles that certainly hold a cell, and from which on a fault counts in full.
    private static let logits: ClosedRange<Float> = -3...0

    private var reference: Reference?

    /// Starts with nothing to compare with.
    package init() {}

    /// Compares the next frame of the view; `nil` where there is no quiet frame of its size, or the frame is too small.
    package mutating func add(_ detail: FrameDetail) -> Arrival? {
        let (rows, columns, border) = (detail.rows, detail.columns, Self.border)
        guard var reference, (reference.rows, reference.columns) == (rows, columns),
            rows > 2 * border, columns > 2 * border
        else { return nil }
        self.reference = nil
        var scratch = [UInt16](repeating: 0, count: rows * columns)
        var excess = unsafe [UInt16](filling: rows * columns) { excess in
            unsafe aqc_detail_excess(
                detail.values,
                reference.around,
                excess,
                rows,
                columns,
                &scratch
            )
        }
        if let lasting = reference.lasting {
            for index in excess.indices { excess[index] = min(excess[index], lasting[index]) }
        }
        var (largest, place) = (UInt16(0), border * columns + border)
        for row in border..<rows - border {
            for index in row * columns + border..<(row + 1) * columns - border where excess[index] > largest {
                (largest, place) = (excess[index], index)
            }
        }
        reference.lasting = excess
        self.reference = reference
        let middle = FrameDetail.block / 2
        let x = place % columns * FrameDetail.block + middle
        let y = place / columns * FrameDetail.block + middle
        return Arrival(
            size: Double(largest) / Self.steps,
            likeness: detail.tiles.map { Self.likeness($0.faultLogit(nearX: x, y: y)) } ?? 0,
            x: x,
            y: y
        )
    }

    private static func likeness(_ logit: Float) -> Double {
        let share = (logit - logits.lowerBound) / (logits.upperBound - logits.lowerBound)
        return Double(min(max(share, 0), 1))
    }

    /// Compares later frames with this one, which is quiet; with none where nothing is known of its detail.
    package mutating func settle(on detail: FrameDetail?) {
        reference = detail.map { detail in
            var scratch = [UInt8](repeating: 0, count: detail.values.count)
            let around = unsafe [UInt8](filling: detail.values.count) { around in
                unsafe aqc_detail_around(detail.values, around, detail.rows, detail.columns, &scratch)
            }
            return Reference(rows: detail.rows, columns: detail.columns, around: around)
        }
    }
}
