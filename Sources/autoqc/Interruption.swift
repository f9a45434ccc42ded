import Foundation
import Synchronization
import Systemd

/// Notices SIGINT and SIGTERM, so that a long command can stop at a good place.
final class Interruption: Sendable {
    private let requested = Atomic(false)

    /// Takes the two signals over from here on.
    init() {
        ProcessSignals.listen(to: [SIGINT, SIGTERM]) { [weak self] _ in
            self?.requested.store(true, ordering: .relaxed)
        }
    }

    /// Lets the two signals end the process again.
    func release() { ProcessSignals.release([SIGINT, SIGTERM]) }

    /// Whether one of them came.
    var isRequested: Bool { requested.load(ordering: .relaxed) }
}
