import Plate
package import Rules

/// Rounds of the canary as the daemon makes them.
package enum Canaries {
    private static let causes: [Cause] = [.airBubble, .artifact, .zShift, .illumination, .contamination]

    /// A round of so many copies of each class, of which so many were found.
    package static func round(
        found: [Int],
        copies: Int = 4,
        model: String = "3f9ac2",
        threshold: Double = 5.815
    ) -> CanaryRound {
        CanaryRound(
            time: Timestamp(nanoseconds: 1_795_341_601_123_000_000),
            model: model,
            precision: "int8",
            threshold: threshold,
            frames: "01_B01_f100 my run_C02_f98",
            leftOut: 1,
            tallies: zip(causes, found).map { CanaryRound.Tally(cause: $0, copies: copies, found: $1) },
            cost: .milliseconds(1830)
        )
    }
}
