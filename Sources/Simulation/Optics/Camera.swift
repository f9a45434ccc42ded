import CKernels
import Frames
import Plate

/// What the sensor and the file make of the light: shot and read noise, 8 bit, JPEG texture.
enum Camera {
    /// Squared noise without light, in grey units squared.
    private static let readNoise: Float = 0.5
    /// Squared noise per grey unit of light.
    private static let gain: Float = 0.014

    /// Relative difference of every second column, measured on a real frame.
    private static let columnStep: Float = 0.003
    /// Relative difference of every second row.
    private static let rowStep: Float = 0.0013

    /// Columns and rows differ in turn, as the sensor's colour filters leave them.
    private static let filters = [
        (1 + rowStep) + columnStep, (1 + rowStep) - columnStep,
        (1 - rowStep) + columnStep, (1 - rowStep) - columnStep,
    ]

    /// Records light given in grey units; `quality` is that of JPEG, `nil` for none.
    static func record(_ frame: inout Frame, quality: Float?, seed: UInt64) {
        unsafe aqc_expose(&frame.pixels, frame.pixels.count, seed, readNoise, gain)
        if let quality { JPEGBlocks.apply(to: &frame, quality: quality, level: 1) }
        unsafe aqc_read_out(&frame.pixels, frame.height, frame.width, filters)
    }
}
