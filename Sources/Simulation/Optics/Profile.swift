/// A factor by distance, tabulated, exactly 1 from its reach on.
struct Profile: Sendable {
    /// Distance from which on it is 1.
    let reach: Float
    private let values: [Float]
    private let scale: Float
    private static let count = 512

    /// Tabulates a function of the distance up to `reach`.
    ///
    /// Changes lose their first `visible`, so that what fades out ends somewhere.
    init(reach: Float, visible: Float = 0, _ factor: (Float) -> Float) {
        let step = reach / Float(Self.count)
        var values = (0...Self.count).map { index in
            let change = factor(Float(index) * step) - 1
            let kept = max(abs(change) - visible, 0)
            return change < 0 ? 1 - kept : 1 + kept
        }
        values[Self.count] = 1
        let last = values.lastIndex { $0 != 1 } ?? 0
        self.reach = Float(last + 1) * step
        self.values = values
        scale = 1 / step
    }

    /// The factor at a distance.
    subscript(distance: Float) -> Float {
        guard distance < reach else { return 1 }
        let place = distance * scale
        let index = min(Int(place), Self.count - 1)
        let share = place - Float(index)
        return values[index] * (1 - share) + values[index + 1] * share
    }
}
