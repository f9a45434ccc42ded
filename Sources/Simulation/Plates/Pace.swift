import Foundation

/// The clock that a plate is played by.
struct Pace {
    /// Longest sleep, so that an interruption is noticed.
    private static let nap = Duration.milliseconds(50)

    private let start = ContinuousClock.now
    /// How late the last frame was, in s.
    private(set) var lateness = 0.0
    /// How late the latest frame was, in s.
    private(set) var greatestLateness = 0.0

    var elapsed: Duration { ContinuousClock.now - start }

    /// Waits for a moment and writes the pieces that are due before it; `false` once interrupted.
    func wait(
        until due: Duration,
        meanwhile delivery: inout any FrameDelivery,
        unless isInterrupted: () -> Bool
    ) throws(SimulationError) -> Bool {
        while !isInterrupted() {
            let now = elapsed
            if let piece = delivery.nextPiece, piece <= now, piece < due {
                try delivery.writePiece()
            } else if due <= now {
                return true
            } else {
                let next = min(due, delivery.nextPiece ?? due)
                Thread.sleep(forTimeInterval: max(min(next - now, Self.nap), .zero) / .seconds(1))
            }
        }
        return false
    }

    mutating func note(due: Duration) {
        lateness = (elapsed - due) / .seconds(1)
        greatestLateness = max(greatestLateness, lateness)
    }
}
