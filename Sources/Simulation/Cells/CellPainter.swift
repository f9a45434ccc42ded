import CKernels
import Faults
import Mathematics
import Plate

/// Draws cells into the light: thickness to phase, phase to a partially coherent, defocused brightfield image.
///
/// Transport of intensity (Teague 1983): I = 1 - (wavelength dz / 2 pi) laplacian(phase), blurred by the objective's NA
/// of 0.3 and, with defocus, by the illumination's aperture; minus what the cell absorbs and what its steep rim scatters
/// out of the aperture.
struct CellPainter {
    /// Blur of the objective and the camera, standard deviation in pixels.
    private static let sharpness: Float = 0.9
    /// Blur per um of defocus, in um: about a quarter of the illumination's aperture of 0.15.
    private static let aperture: Float = 0.036

    /// Where in a frame a square around a cell lies, and what of it may be changed.
    private struct Patch {
        let half: Int
        let top: Int
        let left: Int
        /// Rows of the patch that are in the frame, without its outermost ones.
        let rows: Range<Int>
        let columns: Range<Int>

        init(half: Int, row: Int, column: Int, on frame: Frame) {
            (self.half, top, left) = (half, row - half, column - half)
            rows = Self.inner(2 * half + 1, start: top, limit: frame.height)
            columns = Self.inner(2 * half + 1, start: left, limit: frame.width)
        }

        private static func inner(_ size: Int, start: Int, limit: Int) -> Range<Int> {
            let first = max(1, -start)
            return first..<max(min(size - 1, limit - start), first)
        }
    }

    private let pixelSize: Float
    private var phase: [Float] = []
    private var across: [Float] = []
    private var blurred: [Float] = []

    init(pixelSize: Float) { self.pixelSize = pixelSize }

    /// Multiplies a frame by the image of a cell at a defocus in um.
    ///
    /// `slant` is the light's deviation from the axis, as shading from one side. If it `marks`, the cell's body and what
    /// it changes by more than 4 % go into `mask`.
    mutating func paint(
        _ cell: Cell,
        defocus: Float,
        slant: (x: Float, y: Float),
        on frame: inout Frame,
        mask: inout Mask,
        marks: Bool
    ) {
        let sigma = blur(defocus)
        let radius = Int((3 * sigma).rounded(.up))
        let whole = (row: cell.row.rounded(.down), column: cell.column.rounded(.down))
        var body = aqc_cell(cell, margin: radius)
        (body.row, body.column) = (cell.row - whole.row, cell.column - whole.column)
        body.gathering = min(max(defocus / 14, 0), 1)
        let patch = Patch(half: body.half, row: Int(whole.row), column: Int(whole.column), on: frame)
        guard !patch.rows.isEmpty, !patch.columns.isEmpty else { return }
        let kernel = GaussianBlur.kernel(sigma: sigma, radius: radius)
        draw(body, granules: Granules(seed: cell.texture), kernel: kernel)
        let optics = aqc_cell_optics(
            focusing: Defocus.wavelength * defocus / (2 * Arithmetic.pi) / (pixelSize * pixelSize),
            absorption: cell.absorption,
            absorbing_phase: 0.6 * cell.phase,
            slant_right: slant.x,
            slant_down: slant.y
        )
        apply(optics, patch, to: &frame, mask: &mask, marks: marks)
        if marks { Self.mark(core: cell.radius + 0.7 * sigma, patch, on: &mask) }
    }

    /// Standard deviation in pixels at a defocus in um.
    private func blur(_ defocus: Float) -> Float {
        let spread = Self.aperture * defocus / pixelSize
        return (Self.sharpness * Self.sharpness + spread * spread).squareRoot()
    }

    private mutating func draw(_ body: aqc_cell, granules: Granules, kernel: [Float]) {
        let count = (2 * body.half + 1) * aqc_patch_stride(body.half)
        if phase.count < count {
            phase = [Float](repeating: 0, count: count)
            across = phase
            blurred = phase
        }
        unsafe withUnsafePointer(to: body) { body in
            unsafe aqc_cell_phase(body, granules.values, &phase)
            unsafe aqc_cell_blur(body, kernel, phase, &across, &blurred)
        }
    }

    private func apply(
        _ optics: aqc_cell_optics,
        _ patch: Patch,
        to frame: inout Frame,
        mask: inout Mask,
        marks: Bool
    ) {
        let stride = aqc_patch_stride(patch.half)
        let start = patch.rows.lowerBound * stride + patch.columns.lowerBound
        let first = (patch.top + patch.rows.lowerBound) * frame.width + patch.left + patch.columns.lowerBound
        let width = frame.width
        // Patch and frame both hold these rows and columns, and the patch one more on each side.
        unsafe frame.pixels.withUnsafeMutableBufferPointer { pixels in
            unsafe mask.values.withUnsafeMutableBufferPointer { values in
                unsafe blurred.withUnsafeBufferPointer { blurred in
                    unsafe withUnsafePointer(to: optics) { optics in
                        unsafe aqc_cell_light(
                            optics,
                            blurred.baseAddress.map { unsafe $0 + start },
                            stride,
                            patch.rows.count,
                            patch.columns.count,
                            pixels.baseAddress.map { unsafe $0 + first },
                            marks ? values.baseAddress.map { unsafe $0 + first } : nil,
                            width
                        )
                    }
                }
            }
        }
    }

    /// Marks a disc in the patch's middle.
    private static func mark(core: Float, _ patch: Patch, on mask: inout Mask) {
        for y in patch.rows {
            for x in patch.columns {
                let (down, right) = (y - patch.half, x - patch.half)
                guard down * down + right * right < Int(core * core) else { continue }
                mask.values[(patch.top + y) * mask.width + patch.left + x] = 1
            }
        }
    }
}

extension aqc_cell {
    /// The cell's shape, with a margin around it in the patch for what is blurred; its place remains to be set.
    fileprivate init(_ cell: Cell, margin: Int) {
        let lobes = cell.lobes
        let offset = (lobes.along * lobes.along + lobes.across * lobes.across).squareRoot() + lobes.radius
        let inner = Int((offset.max() * cell.stretch + 1).rounded(.up)) + 1
        self.init()
        (half, self.inner) = (inner + margin + 1, inner)
        (sine, cosine, stretch) = (cell.heading.sine, cell.heading.cosine, cell.stretch)
        along = (lobes.along[0], lobes.along[1], lobes.along[2], lobes.along[3])
        across = (lobes.across[0], lobes.across[1], lobes.across[2], lobes.across[3])
        reach = (lobes.radius[0], lobes.radius[1], lobes.radius[2], lobes.radius[3])
        (radius, phase, granularity) = (cell.radius, cell.phase, cell.granularity)
        (flow_along, flow_across) = (3 * cell.flow.x, 3 * cell.flow.y)
    }
}
