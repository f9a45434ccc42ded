import Foundation
import Plate
import Reporting
import Rules
import Synchronization
import Systemd
import TestSupport
import Testing

struct JournalReporterTests {
    @Test func aTransitionIsARecordAndAFaultIsNot() throws {
        let sent = Mutex<[JournalRecord]>([])
        let reporter = JournalReporter { record in
            sent.withLock { $0.append(record) }
            return true
        }
        for event in Alarm.Event.allCases { reporter.report(try Sample.fault(frame: 100, event: event)) }
        let records = sent.withLock { $0 }
        let expected = Alarm.Event.allCases.filter { $0 != .fault }
        #expect(records.map { $0.fields["AUTOQC_EVENT"] } == expected.map(\.rawValue))
        #expect(Set(records.map(\.messageID)).count == expected.count)
        let onset = try #require(records.first)
        #expect(
            onset.message
                == "Well B01 of run 01 turned faulty at frame 100: air-bubble, severity 4.2 (limit 3)"
        )
        #expect(
            records.first { $0.fields["AUTOQC_EVENT"] == "CLEAR" }?.message
                == "Well B01 of run 01 is normal again since frame 100, severity 4.2 (limit 3)"
        )
        #expect(
            onset.fields == [
                "AUTOQC_EVENT": "ONSET", "AUTOQC_RUN": "01", "AUTOQC_WELL": "B01", "AUTOQC_FRAME": "100",
                "AUTOQC_MODEL": "3f9ac2", "AUTOQC_SCORE": "0.213", "AUTOQC_SEVERITY": "4.2",
                "AUTOQC_CAUSE": "air-bubble", "AUTOQC_ADVICE": try #require(Cause.airBubble.advice),
            ]
        )
    }

    @Test func theCatalogExplainsEveryRecord() throws {
        let catalog = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "systemd/autoqc.catalog")
        let lines = try String(contentsOf: catalog, encoding: .utf8).split(separator: "\n")
        let identifiers = lines.filter { $0.hasPrefix("-- ") }.map { String($0.dropFirst(3)) }
        let transition = CanaryEvent.Transition(time: Timestamp(nanoseconds: 0), model: "", reason: "")
        let canary: [CanaryEvent] = [
            .round(Canaries.round(found: [])), .alarm(transition), .clear(transition),
        ]
        #expect(
            Set(identifiers)
                == Set(Alarm.Event.allCases.compactMap { JournalReporter.messageID(of: $0) })
                .union(canary.map { JournalReporter.messageID(of: $0) })
        )
        #expect(identifiers.allSatisfy { $0.count == 32 && $0.allSatisfy(\.isHexDigit) })
    }
}
