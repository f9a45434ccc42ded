import Dispatch
import Foundation
import Synchronization

/// Notices SIGINT and SIGTERM, so that a long command can stop at a good place.
final class Interruption {
    private let requested = Requested()
    private let sources: [any DispatchSourceSignal]

    private final class Requested: Sendable {
        let flag = Atomic(false)
    }

    /// Takes the two signals over from here on.
    init() {
        sources = [SIGINT, SIGTERM].map { number in
            _ = signal(number, SIG_IGN)
            return DispatchSource.makeSignalSource(signal: number, queue: .global())
        }
        for source in sources {
            source.setEventHandler { [requested] in requested.flag.store(true, ordering: .relaxed) }
            source.resume()
        }
    }

    deinit { for source in sources { source.cancel() } }

    /// Whether one of them came.
    var isRequested: Bool { requested.flag.load(ordering: .relaxed) }
}
