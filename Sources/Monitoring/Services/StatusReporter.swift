import Foundation
package import Logging
package import Reporting

/// Says once a second how the daemon is, for the page, which is a process of its own.
///
/// A thread of its own does it, so that it goes on whatever the daemon waits for.
package final class StatusReporter: Sendable {
    private static let interval = DispatchTimeInterval.seconds(1)
    /// Until there is something to say.
    private static let firstInterval = DispatchTimeInterval.milliseconds(50)

    private let isStopping = DispatchSemaphore(value: 0)
    private let hasStopped = DispatchSemaphore(value: 0)

    /// Begins to write what `figures` say.
    package init(
        _ file: StatusFile,
        logger: Logger,
        figures: @escaping @Sendable () -> DaemonFigures?
    ) {
        let (isStopping, hasStopped) = (isStopping, hasStopped)
        let thread = Thread {
            var isWritten = true
            var interval = Self.firstInterval
            while true {
                let isLast = isStopping.wait(timeout: .now() + interval) == .success
                if let figures = figures() {
                    interval = Self.interval
                    let wasWritten = isWritten
                    isWritten = Self.write(figures, to: file, isLast, logger, isFirst: wasWritten)
                }
                if isLast { break }
            }
            hasStopped.signal()
        }
        thread.name = "autoqc.status"
        thread.start()
    }

    /// Says that the daemon has stopped.
    package func stop() {
        isStopping.signal()
        // A file system that hangs must not keep the daemon from its end.
        _ = hasStopped.wait(timeout: .now() + 2)
    }

    private static func write(
        _ figures: DaemonFigures,
        to file: StatusFile,
        _ isLast: Bool,
        _ logger: Logger,
        isFirst: Bool
    ) -> Bool {
        do {
            try file.write(figures, hasStopped: isLast)
            return true
        } catch {
            if isFirst {
                logger.error(
                    "The daemon's status cannot be written; the page takes the daemon for gone",
                    metadata: ["reason": "\(error)"]
                )
            }
            return false
        }
    }
}
