import Foundation
import Logging
import Plate
import Reporting
import TestSupport
import Testing

@testable import Notifying

/// Events as the daemon records them.
enum Sample {
    static let time = Timestamp(nanoseconds: 1_795_341_601_000_000_000)

    static func event(_ kind: Alarm.Event, well: String = "B1", frame: Int, at time: Timestamp = time) throws
        -> Event
    {
        let alarm = Alarm(
            time: time,
            event: kind,
            frame: FrameID(run: "01", well: try #require(Well(well)), index: frame),
            model: "3f9ac2d41b7e",
            reason: "a reason with \"quotes\""
        )
        return try #require(Event(alarm))
    }

    static func silentLogger() -> Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }
}

/// Runs a test with a store of its own.
func withStore(_ body: (NotificationStore, URL) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
        try await body(try NotificationStore(path: folder.appending(path: "notify.sqlite").path), folder)
    }
}
