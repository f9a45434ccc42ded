import Digests
import Foundation
import Plate

/// What is to be sent next to a receiver.
///
/// A value without a clock.
///
/// Events of a lane (a well, a run's plate, the daemon) are sent in their order: while one is to be tried again, those behind it
/// wait, and other lanes go on. In a minute there are at most `limit` attempts. Where more waits than the last of them can
/// carry, that one is a digest: a message with many events.
struct DeliveryPlan {
    enum Step: Equatable {
        /// These are one message with this id.
        case send([Delivery], id: String)
        /// Nothing is to be done before this moment; `nil` until something comes.
        case wait(until: ContinuousClock.Instant?)
    }

    /// In which the attempts are counted.
    static let window = Duration.seconds(60)
    /// Events in a digest, at most: some 100 kB.
    static let mostInDigest = 200

    private static let firstDelay = Duration.seconds(5)
    private static let longestDelay = Duration.seconds(900)

    /// Attempts within `window`.
    let limit: Int

    /// How long after so many failed attempts the next one comes: 5 s, twice as long each time, at most 15 min.
    static func delay(after attempts: Int) -> Duration {
        min(firstDelay * (1 << min(max(attempts, 1) - 1, 10)), longestDelay)
    }

    /// Chooses from what waits, in the order of taking.
    ///
    /// `due` says of messages that failed when they may be tried again, `attempts` when messages were sent, the earliest first.
    func next(
        _ waiting: [Delivery],
        due: [String: ContinuousClock.Instant],
        attempts: [ContinuousClock.Instant],
        now: ContinuousClock.Instant
    ) -> Step {
        let messages = Self.messages(waiting)
        var blocked: Set<String> = []
        var ready: [Message] = []
        var next: ContinuousClock.Instant?
        for message in messages {
            defer { blocked.formUnion(message.lanes) }
            guard message.lanes.isDisjoint(with: blocked) else { continue }
            if let due = due[message.id], due > now {
                next = min(next ?? due, due)
            } else {
                ready.append(message)
            }
        }
        guard let first = ready.first else { return .wait(until: next) }
        let recent = attempts.filter { now - $0 < Self.window }
        guard recent.count < limit else {
            let free = recent[recent.count - limit] + Self.window
            return .wait(until: min(next ?? free, free))
        }
        let held = Set(messages.filter { !$0.isFresh }.flatMap(\.lanes))
        let digest = waiting.filter { $0.message.isEmpty && !held.contains($0.lane) }
            .prefix(Self.mostInDigest)
        if first.isFresh, recent.count == limit - 1, digest.count > 1 {
            return .send(Array(digest), id: Self.digestID(of: digest))
        }
        return .send(first.deliveries, id: first.id)
    }

    private struct Message {
        let id: String
        var deliveries: [Delivery]

        var lanes: Set<String> { Set(deliveries.map(\.lane)) }
        /// Whether it was never tried, and may go into a digest.
        var isFresh: Bool { deliveries[0].message.isEmpty }
    }

    /// By their ids, in the order of their first deliveries.
    private static func messages(_ waiting: [Delivery]) -> [Message] {
        var places: [String: Int] = [:]
        return waiting.reduce(into: []) { messages, delivery in
            let id = delivery.message.isEmpty ? delivery.event : delivery.message
            if let place = places[id] {
                messages[place].deliveries.append(delivery)
            } else {
                places[id] = messages.count
                messages.append(Message(id: id, deliveries: [delivery]))
            }
        }
    }

    /// The same for the same events.
    private static func digestID(of deliveries: some Sequence<Delivery>) -> String {
        "dig_" + Digest.sha256(Data(deliveries.map(\.event).joined(separator: "\n").utf8)).prefix(32)
    }
}
