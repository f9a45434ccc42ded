import Frames
package import Plate

extension FramePaths {
    /// One frame of a labelled list.
    package struct Labelled: Sendable, Equatable {
        /// Path of the frame.
        package let image: String
        /// Path of its mask, if it has one.
        package let mask: String?
        /// Whether it is faulty.
        package let isFaulty: Bool
        /// The class of its fault, where the list tells.
        package let fault: String?
        /// How strong the fault is, where the list tells.
        package let strength: Double?
        /// The list that names the frame.
        package let list: String
        /// The row of the list, as an editor counts: the header is row 1.
        package let row: Int

        /// Where the frame is named, for messages.
        package var place: String { "\(list), row \(row)" }

        /// Decodes the first page.
        package func readFrame() throws(DataError) -> Frame { try Self.page(image) }

        /// Decodes the mask, every value above 0 being faulty; it must be of the frame's size.
        ///
        /// A normal frame without a mask has an empty one, a faulty frame without has `nil`.
        package func readMask(height: Int, width: Int) throws(DataError) -> Mask? {
            guard let path = mask else {
                guard !isFaulty else { return nil }
                return Mask(
                    height: height,
                    width: width,
                    values: [UInt8](repeating: 0, count: height * width)
                )
            }
            let frame = try Self.page(path)
            guard frame.height == height, frame.width == width else {
                throw DataError(
                    "\(path) is \(frame.width) x \(frame.height), its frame \(image) is \(width) x \(height)"
                )
            }
            return Mask(height: height, width: width, values: frame.pixels.map { $0 > 0 ? 1 : 0 })
        }

        private static func page(_ path: String) throws(DataError) -> Frame {
            do { return try TIFFReader(path: path).frame(page: 0) } catch { throw DataError("\(error)") }
        }
    }

    /// Reads a list with the published header `img_path,seg_path,label`; one row that cannot be read refuses
    /// it.
    ///
    /// Paths are relative to the list's folder, or to the one above it, where the published layout has its
    /// frames.
    package static func labelled(csv path: String) throws(DataError) -> [Labelled] {
        let list = try LabelledList(csv: path)
        if let problem = list.problems.first { throw DataError(problem) }
        return list.rows
    }
}
