import Plate
import Synchronization

/// Notes when frames come, on the feed's side, and says which wells are silent, on a judging thread's.
final class StallReporter: Sendable {
    private let state = Mutex((watch: StallWatch(), limit: Duration?.none))

    /// After how long a silence is reported; `nil` for never.
    func set(limit: Duration?) {
        state.withLock { $0.limit = limit }
    }

    /// A frame came.
    func saw(_ frame: FrameID, now: ContinuousClock.Instant = .now) {
        state.withLock { state in
            guard state.limit != nil else { return }
            state.watch.saw(frame, now: now)
        }
    }

    /// Hands over each new stall and the silence that makes it one.
    func report(now: ContinuousClock.Instant = .now, to body: (StallWatch.Stall, Duration) -> Void) {
        let (stalls, limit) = state.withLock { ($0.watch.newStalls(limit: $0.limit, now: now), $0.limit) }
        for stall in stalls { body(stall, limit ?? .zero) }
    }
}
