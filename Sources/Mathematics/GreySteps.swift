import CKernels

/// Grey values in fine steps of their background, so that a frame is the same whatever unit a file gives it in.
///
/// The same picture with 8 bits, 16 bits or as shares of 1 has the same ratios to its background, but for rounding in the last bit.
/// Fits that begin with such values end elsewhere (a mixture's components, a classifier's weights), and severities with them. Steps
/// take the last bits away.
package enum GreySteps {
    /// Steps of a hundredth of the background.
    package static let perHundredth: Float = 1024

    /// `(steps - shift) * scale` for each grey value; `background` is above 0.
    package static func values(
        _ grey: [Float],
        background: Float,
        shift: Float = 0,
        scale: Float
    ) -> [Float] {
        unsafe [Float](filling: grey.count) { values in
            unsafe aqc_step_scale(grey, values, grey.count, factor(background), shift, scale)
        }
    }

    /// The steps of one grey value.
    package static func steps(_ grey: Float, background: Float) -> Float {
        (grey * factor(background)).rounded(.toNearestOrEven)
    }

    /// What grey values are multiplied by before they are rounded to steps.
    package static func factor(_ background: Float) -> Float { 100 * perHundredth / background }
}
