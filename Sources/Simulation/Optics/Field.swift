import CKernels

/// A smooth quantity over the frame, kept on a coarse grid and read between its points linearly.
struct Field: Sendable {
    /// Pixels from one point of the grid to the next, as `aqc_light_field` has it.
    private static let pitch = 16

    private let height: Int
    private let width: Int
    private let values: [Float]

    /// Evaluates a function of row and column, in pixels, on the grid.
    init(height: Int, width: Int, _ value: (_ row: Float, _ column: Float) -> Float) {
        (self.height, self.width) = (height, width)
        let rows = height / Self.pitch + 2
        let columns = width / Self.pitch + 2
        values = (0..<rows * columns).map { index in
            value(Float(index / columns * Self.pitch), Float(index % columns * Self.pitch))
        }
    }

    /// An image times a level and the field.
    func times(_ image: [Float], level: Float) -> [Float] {
        precondition(image.count == height * width, "\(image.count) pixels are not \(height) x \(width)")
        return unsafe [Float](unsafeUninitializedCapacity: image.count) { pixels, count in
            unsafe aqc_light_field(image, pixels.baseAddress, height, width, values, level)
            count = image.count
        }
    }

    /// Multiplies an image by the field where it lies.
    func multiply(_ image: inout [Float]) {
        precondition(image.count == height * width, "\(image.count) pixels are not \(height) x \(width)")
        unsafe image.withUnsafeMutableBufferPointer { pixels in
            unsafe aqc_light_field(pixels.baseAddress, pixels.baseAddress, height, width, values, 1)
        }
    }
}
