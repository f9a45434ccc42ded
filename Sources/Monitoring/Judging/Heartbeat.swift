import Synchronization

/// When a part of the daemon last got on with its work.
///
/// A part that has nothing to do ticks all the same, or rests while it waits for another; one that is stuck does not.
final class Heartbeat: Sendable {
    private struct State {
        var last: ContinuousClock.Instant
        var isExcused = false
    }

    /// What the part is called in logs.
    let name: String
    private let state: Mutex<State>

    init(name: String, now: ContinuousClock.Instant = .now) {
        self.name = name
        state = Mutex(State(last: now))
    }

    /// Says that work goes on.
    func tick(now: ContinuousClock.Instant = .now) {
        state.withLock { state in
            state.last = max(state.last, now)
            state.isExcused = false
        }
    }

    /// Says that this part waits for another one, whose heart beats for both until the next tick.
    func rest() {
        state.withLock { $0.isExcused = true }
    }

    /// How long nothing was heard; zero while it waits for another part.
    func silence(now: ContinuousClock.Instant = .now) -> Duration {
        state.withLock { $0.isExcused ? .zero : max(.zero, now - $0.last) }
    }
}
