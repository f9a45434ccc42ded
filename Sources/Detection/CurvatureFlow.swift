import CKernels
package import Plate

/// Smooths along edges, not across them: every grey level's contour moves at the speed of its curvature.
///
/// Explicit steps of u_t = (u_yy u_x^2 - 2 u_x u_y u_xy + u_xx u_y^2) / (u_x^2 + u_y^2) by central
/// differences with a replicated border (Sethian 1996); the update is 0 where the squared gradient is below
/// 1e-9. ITK's `CurvatureFlow`.
package struct CurvatureFlow: Sendable, Equatable {
    /// Length of a step, stable up to 0.25 for pixels of size 1.
    package let timeStep: Float
    /// Number of steps.
    package let iterations: Int

    /// Chooses the steps; the defaults are the published ones.
    package init(timeStep: Float = 0.125, iterations: Int = 3) {
        precondition(timeStep > 0 && iterations >= 0, "no flow of \(iterations) steps of \(timeStep)")
        self.timeStep = timeStep
        self.iterations = iterations
    }

    /// The smoothed frame, in the same grey units.
    package func smoothed(_ frame: Frame) -> Frame {
        var current = frame.pixels
        var next = current
        for _ in 0..<iterations {
            unsafe aqc_curvature_step(current, &next, frame.height, frame.width, timeStep)
            swap(&current, &next)
        }
        return Frame(height: frame.height, width: frame.width, pixels: current)
    }
}
