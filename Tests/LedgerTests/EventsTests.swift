import Foundation
import GRDB
import Plate
import TestSupport
import Testing

@testable import Ledger

/// The table of what people are told.
struct EventsTests {
    private func event(_ name: String, _ kind: Event.Kind = .onset, run: String? = "01", well: String? = "B1")
        throws -> Event
    {
        Event(
            id: name,
            time: Timestamp(nanoseconds: 5),
            kind: kind,
            run: run,
            well: try well.map { try #require(Well($0)) },
            view: well == nil ? nil : .only,
            message: "a sentence of \(name)",
            data: "{\"id\":\"\(name)\"}"
        )
    }

    @Test func eventsKeepTheirOrderAndComeOnce() async throws {
        try await withLedger { ledger in
            let events = try ["a", "b", "c"].map { try event($0) }
            try ledger.record(events: events)
            try ledger.record([Sample.judged("a.tif", frame: 1)], events: events + [event("d", well: nil)])
            let found = try ledger.events(after: 0)
            #expect(found.map(\.event) == (try events + [event("d", well: nil)]))
            #expect(found.map(\.number) == found.map(\.number).sorted())
            #expect(try ledger.events(after: found[1].number).map(\.event.id) == ["c", "d"])
            #expect(try ledger.lastEventNumber() == found.last?.number)
            #expect(try ledger.hasEvent("b", number: found[1].number))
            #expect(try !ledger.hasEvent("b", number: found[2].number))
        }
    }

    @Test func theLastEventIsThatOfItsWellPlateOrDaemon() async throws {
        try await withLedger { ledger in
            try ledger.record(events: [
                event("a"), event("b", .clear, well: "C1"), event("c", .stopAdvised, well: nil),
                event("d", .behind, run: nil, well: nil),
            ])
            let well = try #require(Well("B1"))
            let turns: Set<Event.Kind> = [.onset, .clear]
            #expect(try ledger.lastEvent(of: turns, run: "01", well: well, view: .only) == .onset)
            #expect(try ledger.lastEvent(of: turns, run: "02", well: well, view: .only) == nil)
            #expect(try ledger.lastEvent(of: turns, run: "01", well: well, view: FrameView(field: 2)) == nil)
            #expect(try ledger.lastEvent(of: [.stopAdvised, .stopClear], run: "01") == .stopAdvised)
            #expect(try ledger.lastEvent(of: [.behind, .behindClear]) == .behind)
            #expect(try ledger.lastEvent(of: [.diskLow]) == nil)
        }
    }

    @Test func framesAndEventsAreRecordedTogetherOrNotAtAll() async throws {
        try await withLedger { ledger in
            try ledger.pool.write { database in
                try database.execute(
                    sql: """
                        CREATE TRIGGER refuse BEFORE INSERT ON events
                        BEGIN SELECT RAISE(ABORT, 'refused'); END
                        """
                )
            }
            #expect(throws: LedgerError.self) {
                try ledger.record([Sample.judged("a.tif", frame: 1)], events: [event("a")])
            }
            #expect(try ledger.counts().isEmpty)
        }
    }
}
