import Foundation
import Plate
import Reporting
import Synchronization
import TestSupport
import Testing

@testable import Notifying

/// A receiver that answers as it is told to, a store on disk, and a clock of the test's own.
struct DispatcherTests {
    private final class Inbox: Sendable {
        private let state = Mutex<(answers: [DeliveryOutcome], got: [Message])>(([], []))
        /// Answers in their order; all others are `delivered`.
        func answer(_ outcomes: [DeliveryOutcome]) { state.withLock { $0.answers += outcomes } }
        var got: [Message] { state.withLock { $0.got } }
        func take(_ message: Message) -> DeliveryOutcome {
            state.withLock { state in
                state.got.append(message)
                return state.answers.isEmpty ? .delivered : state.answers.removeFirst()
            }
        }
    }

    private let inbox = Inbox()
    private let start = ContinuousClock.now

    private func dispatcher(
        _ store: NotificationStore,
        limit: Int = 100,
        keep: Duration = .seconds(168 * 3600),
        at time: Timestamp = Sample.time
    ) -> Dispatcher {
        let inbox = inbox
        return Dispatcher(
            NotificationTarget(name: "chat", way: .command(["/bin/true"])),
            Dispatcher.Settings(limit: limit, keep: keep),
            source: "here",
            store: store,
            logger: Sample.silentLogger(),
            timeOfDay: { time },
            deliver: { inbox.take($0) }
        )
    }

    /// Steps until there is nothing to do before a moment.
    private func run(_ dispatcher: Dispatcher, until end: Duration = .zero) throws {
        var now = start
        while let next = try dispatcher.step(now: now) {
            guard next <= start + end else { return }
            now = max(now, next)
        }
    }

    private func take(_ store: NotificationStore, _ events: [Event]) throws {
        try store.take(events, for: "chat", at: Sample.time)
    }

    @Test func eachEventIsToldOnceInItsOrder() async throws {
        try await withStore { store, _ in
            let events = try [
                Sample.event(.onset, frame: 1), Sample.event(.onset, well: "C1", frame: 1),
                Sample.event(.clear, frame: 5),
            ]
            for _ in 0..<2 { try take(store, events) }
            try run(dispatcher(store))
            try take(store, events)
            try run(dispatcher(store))
            #expect(inbox.got.map(\.id) == events.map(\.id))
            #expect(inbox.got.map(\.type) == ["autoqc.onset", "autoqc.onset", "autoqc.clear"])
            let first = try #require(inbox.got.first?.json)
            let json = try JSONSerialization.jsonObject(with: Data(first.utf8)) as? [String: Any]
            let data = try #require(json?["data"] as? [String: Any])
            #expect(data["id"] as? String == events[0].id && data["well"] as? String == "B01")
            #expect(
                json?["timestamp"] as? String == Sample.time.iso8601 && json?["source"] as? String == "here"
            )
        }
    }

    @Test func aDeadReceiverIsTriedLessAndLessOftenAndLosesNothing() async throws {
        try await withStore { store, _ in
            try take(store, (0..<6).map { try Sample.event(.onset, well: "B\($0 + 1)", frame: 1) })
            inbox.answer(Array(repeating: .unreachable("nobody answers"), count: 8))
            let dispatcher = dispatcher(store)
            try run(dispatcher, until: .seconds(600))
            #expect(inbox.got.count == 7, "attempts after 0, 5, 15, 35, 75, 155, 315 s")
            #expect(Set(inbox.got.map(\.id)).count == 1)
            #expect(dispatcher.trouble == "nobody answers")
            #expect(try store.countWaiting(for: "chat") == 6)
            try run(dispatcher, until: .seconds(3600))
            #expect(try store.countWaiting(for: "chat") == 0)
            #expect(dispatcher.trouble == nil)
            #expect(Set(inbox.got.map(\.id)).count == 6)
        }
    }

    @Test func aRestartGoesOnWhereTheLastOneEnded() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "notify.sqlite").path
            let events = try (1...5).map { try Sample.event($0 % 2 == 1 ? .onset : .clear, frame: $0) }
            try take(NotificationStore(path: path), events)
            for _ in events {
                // Each start tells one and is killed.
                _ = try dispatcher(NotificationStore(path: path)).step(now: start)
            }
            #expect(inbox.got.map(\.id) == events.map(\.id))
        }
    }

    @Test func aMessageThatIsNotWantedIsGivenUpAndHoldsUpNobody() async throws {
        try await withStore { store, _ in
            let poison = try Sample.event(.onset, frame: 1)
            let behind = try Sample.event(.clear, frame: 2)
            let other = try Sample.event(.onset, well: "C1", frame: 1)
            try take(store, [poison, behind, other])
            // The other well's event comes between the attempts.
            let refused = DeliveryOutcome.refused("HTTP 400")
            inbox.answer([refused, .delivered] + Array(repeating: refused, count: Dispatcher.patience - 1))
            try run(dispatcher(store), until: .seconds(3600))
            let ids = inbox.got.map(\.id)
            #expect(ids[1] == other.id && ids.last == behind.id)
            #expect(ids.count { $0 == poison.id } == Dispatcher.patience)
            #expect(try store.countWaiting(for: "chat") == 0)
        }
    }

    @Test func aReceiverThatFailsOnOneMessageIsToldTheOthers() async throws {
        try await withStore { store, _ in
            let ill = try Sample.event(.onset, frame: 1)
            try take(store, [ill] + (1...3).map { try Sample.event(.onset, well: "C\($0)", frame: 1) })
            inbox.answer([.failed("HTTP 500")])
            try run(dispatcher(store), until: .seconds(4))
            #expect(inbox.got.count == 4)
            #expect(try store.waiting(for: "chat", limit: 9).map(\.event) == [ill.id])
            try run(dispatcher(store), until: .seconds(5))
            #expect(inbox.got.last?.id == ill.id)
        }
    }

    @Test func whatIsTooMuchForAMinuteComesInOneDigest() async throws {
        try await withStore { store, _ in
            let events = try (0..<64).map { try Sample.event(.onset, well: "B\($0 % 48 + 1)", frame: $0) }
            try take(store, events)
            try run(dispatcher(store, limit: 5))
            #expect(inbox.got.count == 5)
            let digest = try #require(inbox.got.last)
            #expect(digest.type == "autoqc.digest" && digest.summary == "60 events: 60 ONSET")
            let json = try JSONSerialization.jsonObject(with: Data(digest.data.utf8)) as? [String: Any]
            let held = (json?["events"] as? [[String: Any]])?.compactMap { $0["id"] as? String }
            #expect(inbox.got.prefix(4).map(\.id) + (held ?? []) == events.map(\.id))
            #expect(try store.countWaiting(for: "chat") == 0)
        }
    }

    @Test func aDigestIsRepeatedUnderItsIdAndTakenApartWhereItIsNotWanted() async throws {
        try await withStore { store, _ in
            let events = try (0..<3).map { try Sample.event(.onset, well: "B\($0 + 1)", frame: 1) }
            try take(store, events)
            inbox.answer([.unreachable("nobody answers")])
            try run(dispatcher(store, limit: 1))
            try take(store, [Sample.event(.onset, well: "C1", frame: 1)])
            inbox.answer(Array(repeating: .refused("too large"), count: Dispatcher.patience))
            try run(dispatcher(store, limit: 1), until: .seconds(3600))
            let digests = inbox.got.filter { $0.type == "autoqc.digest" }
            #expect(digests.count == 1 + Dispatcher.patience)
            #expect(Set(digests.map(\.id)).count == 1)
            #expect(inbox.got.filter { $0.type == "autoqc.onset" }.count == 4)
            #expect(try store.countWaiting(for: "chat") == 0)
        }
    }

    @Test func whatCannotBeToldForTooLongIsGivenUp() async throws {
        try await withStore { store, _ in
            try take(store, [Sample.event(.onset, frame: 1)])
            inbox.answer([.unreachable("nobody answers")])
            let later = Timestamp(nanoseconds: Sample.time.nanoseconds + 3_601_000_000_000)
            try run(dispatcher(store, keep: .seconds(3600), at: later))
            #expect(try store.countWaiting(for: "chat") == 0)
        }
    }
}
