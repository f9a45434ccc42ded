import Plate
import Testing

@testable import Notifying

/// What is sent next, without clock and disk.
struct DeliveryPlanTests {
    private let now = ContinuousClock.now
    private let plan = DeliveryPlan(limit: 4)

    private func waiting(_ lanes: [String], message: String = "", from first: Int = 0) -> [Delivery] {
        lanes.enumerated().map { index, lane in
            Delivery(
                number: Int64(first + index),
                event: "e\(first + index)",
                lane: lane,
                kind: "ONSET",
                time: Timestamp(nanoseconds: 1),
                summary: "",
                data: "{}",
                message: message == "own" ? "e\(first + index)" : message
            )
        }
    }

    private func sent(_ step: DeliveryPlan.Step) -> [String]? {
        guard case .send(let deliveries, _) = step else { return nil }
        return deliveries.map(\.event)
    }

    @Test func eventsAreSentInTheirOrder() {
        let step = plan.next(waiting(["a", "b", "a"]), due: [:], attempts: [], now: now)
        #expect(step == .send(waiting(["a"]), id: "e0"))
        #expect(plan.next([], due: [:], attempts: [], now: now) == .wait(until: nil))
    }

    @Test func aWellWaitsForItsEventThatFailedAndOthersGoOn() {
        let tried = waiting(["a"], message: "own") + waiting(["a", "b"], from: 1)
        let due = ["e0": now + .seconds(10)]
        #expect(sent(plan.next(tried, due: due, attempts: [], now: now)) == ["e2"])
        #expect(sent(plan.next(tried, due: due, attempts: [], now: now + .seconds(10))) == ["e0"])
        let behind = Array(tried.prefix(2))
        #expect(plan.next(behind, due: due, attempts: [], now: now) == .wait(until: now + .seconds(10)))
    }

    @Test func theLastMessageOfAMinuteIsADigestOfAllThatWaits() {
        let many = waiting(["a", "b", "a", "c"])
        let attempts = [now - .seconds(50), now - .seconds(40), now - .seconds(1)]
        let step = plan.next(many, due: [:], attempts: attempts, now: now)
        #expect(sent(step) == ["e0", "e1", "e2", "e3"])
        guard case .send(_, let id) = step else { return }
        #expect(id.hasPrefix("dig_"))
        #expect(plan.next(many, due: [:], attempts: attempts, now: now) == step, "it has another id")
        // A single one needs no digest.
        let one = waiting(["a"])
        #expect(plan.next(one, due: [:], attempts: attempts, now: now) == .send(one, id: "e0"))
    }

    @Test func moreThanTheLimitWaitsForTheNextMinute() {
        let attempts = [50, 40, 30, 20].map { now - .seconds($0) }
        let step = plan.next(waiting(["a"]), due: [:], attempts: attempts, now: now)
        #expect(step == .wait(until: now + .seconds(10)))
        let later = now + .seconds(10)
        #expect(
            sent(plan.next(waiting(["a", "b"]), due: [:], attempts: attempts, now: later)) == ["e0", "e1"]
        )
    }

    @Test func aDigestLeavesOutTheWellsThatWaitForAnotherMessage() {
        let tried = waiting(["a"], message: "own") + waiting(["a", "b", "c"], from: 1)
        let attempts = [3, 2, 1].map { now - .seconds($0) }
        let step = plan.next(tried, due: ["e0": now + .seconds(60)], attempts: attempts, now: now)
        #expect(sent(step) == ["e2", "e3"])
    }

    @Test func aDigestThatFailedIsSentAgainAsItWas() {
        let digest = waiting(["a", "b"], message: "dig_1") + waiting(["a", "c"], from: 2)
        #expect(
            plan.next(digest, due: [:], attempts: [], now: now) == .send(Array(digest.prefix(2)), id: "dig_1")
        )
        let due = ["dig_1": now + .seconds(60)]
        #expect(sent(plan.next(digest, due: due, attempts: [], now: now)) == ["e3"])
    }

    @Test func aDigestIsBounded() {
        let many = waiting(Array(repeating: "a", count: 1000))
        let step = plan.next(many, due: [:], attempts: [now, now, now], now: now)
        #expect(sent(step)?.count == DeliveryPlan.mostInDigest)
    }

    @Test func delaysDoubleUpToAQuarterOfAnHour() {
        let delays = (1...9).map { DeliveryPlan.delay(after: $0) / .seconds(1) }
        #expect(delays == [5, 10, 20, 40, 80, 160, 320, 640, 900])
        #expect(DeliveryPlan.delay(after: .max) == .seconds(900))
        #expect(DeliveryPlan.delay(after: .min) == .seconds(5))
    }
}
