import Mathematics
package import Plate

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
