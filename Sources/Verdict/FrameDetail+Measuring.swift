import CKernels
import Mathematics
package import Plate

extension FrameDetail {
    /// Measures a frame; `nil` where not even one block fits, or where the background of normal frames is not known.
    package init?(of frame: Frame, background: Float) {
        let (rows, columns) = (frame.height / Self.block, frame.width / Self.block)
        guard rows > 0, columns > 0, background > 0 else { return nil }
        var scratch = [Float](repeating: 0, count: 2 * frame.width + 4 * rows * columns)
        let values = unsafe [UInt8](filling: rows * columns) { values in
            unsafe aqc_measure_detail(
                frame.pixels,
                values,
                frame.height,
                frame.width,
                background / 100,
                &scratch
            )
        }
        self.init(rows: rows, columns: columns, values: values)
    }
}

extension Calibration {
    /// Where a frame stands out from its background; `nil` for a model without a classifier of tiles.
    package func detail(of frame: Frame) -> FrameDetail? {
        guard let normal = tiles?.normal, normal.classifier != nil else { return nil }
        return FrameDetail(of: frame, background: normal.background)
    }

    /// The same, with what the frame's tiles look like.
    package func detail(of frame: Frame, _ evidence: Evidence) -> FrameDetail? {
        guard let tiles = evidence.tiles, let faultLogits = tiles.faultLogits else { return nil }
        var detail = detail(of: frame)
        detail?.tiles = FrameDetail.Tiles(
            side: TileFigures.side,
            columns: tiles.figures.columns,
            faultLogits: faultLogits
        )
        return detail
    }
}
