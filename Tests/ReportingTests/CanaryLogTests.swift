import Foundation
import Plate
import Reporting
import Rules
import Synchronization
import Systemd
import TestSupport
import Testing

struct CanaryLogTests {
    private let round = Canaries.round(found: [4, 3, 4, 4, 4])
    private let transition = CanaryEvent.Transition(
        time: Timestamp(nanoseconds: 1_795_341_601_123_000_000),
        model: "3f9ac2",
        reason: "found 3 of 20; \"do\" something"
    )

    @Test func whatWasFoundIsThereAtTheNextStart() async throws {
        try await withTemporaryFolder { folder in
            let tree = OutputTree(root: folder.path)
            let events: [CanaryEvent] = [.round(round), .alarm(transition), .clear(transition)]
            try CanaryLog(tree: tree).append(events)
            // A crash in the middle of a line.
            let handle = try FileHandle(forWritingTo: URL(filePath: tree.canaryLog))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data("time=2026-11-2".utf8))
            try handle.close()
            let again = try CanaryLog(tree: tree).events
            #expect(Set(again.map(\.name)) == ["ROUND", "CANARY", "CANARY-CLEAR"])
            guard case .round(let read) = again.first else {
                Issue.record("\(again)")
                return
            }
            #expect(Set(read.tallies.map(\.cause)) == Set(round.tallies.map(\.cause)))
            #expect((read.time, read.model, read.threshold) == (round.time, round.model, round.threshold))
            #expect((read.found, read.copies, read.leftOut, read.cost) == (19, 20, 1, .milliseconds(1830)))
            #expect(read.frames == round.frames)
            #expect(Array(again.dropFirst()) == Array(events.dropFirst()))
            let lines = try String(contentsOfFile: tree.canaryLog, encoding: .utf8).split(separator: "\n")
            #expect(lines.count == 3)
            let figures = "sensitivity=0.95 found=19 copies=20 air_bubble=4/4 artifact=3/4 z_shift=4/4"
            #expect(lines[0].contains(figures))
        }
    }

    @Test func theJournalIsToldOfEachWithoutRunOrWell() throws {
        let sent = Mutex<[JournalRecord]>([])
        let reporter = JournalReporter { record in
            sent.withLock { $0.append(record) }
            return true
        }
        for event in [CanaryEvent.round(round), .alarm(transition), .clear(transition)] {
            reporter.report(event)
        }
        let records = sent.withLock { $0 }
        #expect(records.map(\.priority) == [.info, .warning, .notice])
        #expect(records.map { $0.fields["AUTOQC_EVENT"] } == ["ROUND", "CANARY", "CANARY-CLEAR"])
        #expect(Set(records.map(\.messageID)).count == 3)
        #expect(records[0].fields["AUTOQC_SENSITIVITY"] == "0.95")
        #expect(records.allSatisfy { $0.fields["AUTOQC_RUN"] == nil && $0.fields["AUTOQC_WELL"] == nil })
    }
}
