import Foundation
import GRDB
import Plate
import TestSupport
import Testing

@testable import Ledger

struct AlarmsTests {
    private static func alarm(_ event: Alarm.Event, well: String = "B1", frame: Int, reason: String? = nil)
        throws -> Alarm
    {
        let judgement = Judgement(
            verdict: .faulty,
            severity: 4.5,
            threshold: 2,
            scores: nil,
            score: 0.25,
            cause: ProbableCause(.airBubble, confidence: 0.75),
            area: 0.1,
            boundingBox: nil
        )
        return Alarm(
            time: Timestamp(nanoseconds: 7),
            event: event,
            frame: FrameID(run: "01", well: try Sample.well(well), index: frame),
            model: "3f9ac2d41b7e",
            judgement: event == .stalled || event == .unreadable ? nil : judgement,
            reason: reason,
            latencyMilliseconds: 12
        )
    }

    @Test func alarmsAreKeptOnceWithTheFramesTheyCameWith() async throws {
        try await withLedger { ledger in
            let alarms = try [
                Self.alarm(.fault, frame: 1), Self.alarm(.onset, frame: 1),
                Self.alarm(.fault, well: "C2", frame: 4),
                Self.alarm(.unreadable, frame: 2, reason: "it is cut"),
            ]
            for _ in 0..<2 { try ledger.record([Sample.judged("a.tif", frame: 1)], alarms: alarms) }
            try ledger.record([], alarms: [Self.alarm(.stalled, frame: 2, reason: "no frame for 60 s")])
            let kept = try ledger.alarms(run: "01")
            #expect(kept.map(\.event) == [.fault, .onset, .fault, .unreadable, .stalled])
            #expect(kept.map(\.reason) == [nil, nil, nil, "it is cut", "no frame for 60 s"])
            let rows = try ledger.read {
                try Row.fetchAll($0, sql: "SELECT severity, threshold, cause FROM alarms ORDER BY id")
            }
            #expect(rows[0] == ["severity": 4.5, "threshold": 2.0, "cause": "air-bubble"])
            #expect(rows[3]["severity"] as Double? == nil)
            let well = try Sample.well("B1")
            let transitions = try ledger.alarms(run: "01", well: well, events: [.onset, .clear])
            #expect(transitions.map(\.frame.index) == [1])
            #expect(try ledger.alarms(run: "02").isEmpty)
            let later = try ledger.alarms(
                run: "01",
                well: well,
                frames: 2...9,
                events: [.unreadable, .fault]
            )
            #expect(later.map(\.frame.index) == [2])
        }
    }

    @Test func whatWaitsIsKnownUntilItHasAnOutcome() async throws {
        try await withLedger { ledger in
            let frames = try ["a.tif", "b.tif"].enumerated().map { index, path in
                PendingFrame(
                    source: FrameSource(root: "/in", path: path),
                    frame: FrameID(run: "01", well: try Sample.well(), index: index),
                    reason: "the daemon was stopped before its turn",
                    since: Timestamp(nanoseconds: 3)
                )
            }
            for _ in 0..<2 { try ledger.leave(frames) }
            #expect(try ledger.pending() == frames)
            #expect(try ledger.settled(frames.map(\.source)).isEmpty)
            try ledger.record([Sample.judged("a.tif", frame: 0)])
            #expect(try ledger.pending() == [frames[1]])
        }
    }

    @Test func runsAreSummedUpForWhoeverAsksInSQL() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "ledger.sqlite").path
            let ledger = try FrameLedger(path: path)
            try ledger.record([
                Sample.judged("a.tif", frame: 1, verdict: .faulty),
                Sample.judged("b.tif", frame: 2, verdict: .normal),
            ])
            let row = try DatabaseQueue(path: path).read {
                try Row.fetchOne($0, sql: "SELECT run, wells, frames, judged, quarantined, flagged FROM runs")
            }
            #expect(
                row == ["run": "01", "wells": 1, "frames": 2, "judged": 2, "quarantined": 0, "flagged": 1]
            )
        }
    }
}
