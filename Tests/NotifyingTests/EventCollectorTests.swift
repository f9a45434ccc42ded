import Foundation
import Ledger
import Plate
import Reporting
import TestSupport
import Testing

@testable import Notifying

/// Events of a real ledger.
struct EventCollectorTests {
    private static let chat = NotificationTarget(name: "chat", way: .command(["/bin/true"]))

    private func collector(
        _ store: NotificationStore,
        _ folder: URL,
        targets: [NotificationTarget] = [chat],
        isFromBeginning: Bool = true,
        at time: Timestamp = Sample.time
    ) -> EventCollector {
        EventCollector(
            tree: OutputTree(root: folder.path),
            targets: targets,
            keep: .seconds(3600),
            store: store,
            isFromBeginning: isFromBeginning,
            logger: Sample.silentLogger(),
            timeOfDay: { time }
        )
    }

    private func ledger(_ folder: URL) throws -> FrameLedger {
        try FrameLedger(path: OutputTree(root: folder.path).ledger)
    }

    private func taken(_ store: NotificationStore, for target: String = "chat") throws -> [String] {
        try store.waiting(for: target, limit: 10_000).map(\.event)
    }

    @Test func eventsAreTakenAsTheyAreRecordedAndOnlyOnce() async throws {
        try await withStore { store, folder in
            let collector = collector(store, folder)
            #expect(try !collector.collect(), "there is no ledger yet")
            let ledger = try ledger(folder)
            let events = try (0..<1500).map { try Sample.event(.onset, frame: $0) }
            try ledger.record(events: Array(events.prefix(1200)))
            #expect(try collector.collect())
            try ledger.record(events: events)
            #expect(try collector.collect())
            #expect(try !collector.collect())
            #expect(try taken(store) == events.map(\.id))
            // A restart takes nothing twice.
            _ = try self.collector(store, folder, isFromBeginning: false).collect()
            #expect(try taken(store).count == 1500)
        }
    }

    @Test func aNewReceiverIsToldWhatComesFromThenOn() async throws {
        try await withStore { store, folder in
            let ledger = try ledger(folder)
            try ledger.record(events: [Sample.event(.onset, frame: 1)])
            let collector = collector(store, folder, isFromBeginning: false)
            #expect(try !collector.collect())
            let next = try Sample.event(.clear, frame: 2)
            try ledger.record(events: [next])
            #expect(try collector.collect())
            #expect(try taken(store) == [next.id])
        }
    }

    @Test func eachReceiverIsToldWhatItWantsAndNothingOld() async throws {
        try await withStore { store, folder in
            let picky = NotificationTarget(name: "picky", way: .command(["/bin/true"]), events: [.clear])
            let old = Timestamp(nanoseconds: Sample.time.nanoseconds - 3_700_000_000_000)
            let clear = try Sample.event(.clear, frame: 2)
            try ledger(folder).record(
                events: [Sample.event(.onset, frame: 1), clear, Sample.event(.clear, frame: 0, at: old)]
            )
            _ = try collector(store, folder, targets: [Self.chat, picky]).collect()
            #expect(try taken(store).count == 2)
            #expect(try taken(store, for: "picky") == [clear.id])
        }
    }

    @Test func aLedgerThatIsMadeAnewTellsNothingTwice() async throws {
        try await withStore { store, folder in
            let events = try (0..<4).map { try Sample.event(.onset, frame: $0) }
            let first = try ledger(folder)
            try first.record(events: events)
            let collector = collector(store, folder)
            #expect(try collector.collect())
            try first.close()
            for ending in ["", "-wal", "-shm"] {
                try? FileManager.default.removeItem(atPath: OutputTree(root: folder.path).ledger + ending)
            }
            // The frames are judged again in another order, and there is one more.
            let more = try Sample.event(.clear, frame: 9)
            try ledger(folder).record(events: events.reversed() + [more])
            #expect(try collector.collect())
            #expect(try taken(store) == (events + [more]).map(\.id))
        }
    }

    @Test func aDaemonThatIsGoneIsToldOfOnce() async throws {
        try await withStore { store, folder in
            let ledger = try ledger(folder)
            try ledger.begin(
                DaemonSession(started: Sample.time, model: "m", precision: "int8", pattern: "p", folders: [])
            )
            let collector = collector(store, folder)
            let start = ContinuousClock.now
            let tree = OutputTree(root: folder.path)
            let lock = try OutputLock(tree: tree)
            for second in [0, 100] { #expect(try !collector.collect(now: start + .seconds(second))) }
            withExtendedLifetime(lock) {}
        }
        try await withStore { store, folder in
            let ledger = try ledger(folder)
            try ledger.begin(
                DaemonSession(started: Sample.time, model: "m", precision: "int8", pattern: "p", folders: [])
            )
            let collector = collector(store, folder)
            let start = ContinuousClock.now
            for second in [0, 30, 59] { #expect(try !collector.collect(now: start + .seconds(second))) }
            _ = try collector.collect(now: start + .seconds(61))
            _ = try collector.collect(now: start + .seconds(200))
            let waiting = try store.waiting(for: "chat", limit: 9)
            #expect(waiting.map(\.kind) == ["FAILED"])
            #expect(waiting.first?.summary.contains("it is not running") == true)
            // One that was stopped is not gone.
            try ledger.endSession(at: Sample.time)
            _ = try collector.collect(now: start + .seconds(500))
            #expect(try taken(store).count == 1)
        }
    }
}
