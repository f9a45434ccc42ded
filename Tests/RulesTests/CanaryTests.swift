import Plate
import Rules
import TestSupport
import Testing

struct CanaryRuleTests {
    private let rule = CanaryRule(alarmBelow: 0.7)

    /// What a daemon says that has seen these rounds one after another.
    private func told(_ rounds: [CanaryRound], by rule: CanaryRule? = nil) -> [String] {
        var (told, isStanding): ([String], Bool) = ([], false)
        for count in 1...rounds.count {
            guard
                let event = (rule ?? self.rule).transition(
                    Array(rounds.prefix(count)),
                    isStanding: isStanding
                )
            else { continue }
            if case .alarm = event { isStanding = true } else { isStanding = false }
            told.append("\(count) \(event.name)")
        }
        return told
    }

    @Test func aHealthyDetectorMayMissSomeOfThem() {
        let rounds = [[4, 3, 4, 4, 4], [4, 4, 3, 2, 4], [4, 4, 4, 4, 3]].map { Canaries.round(found: $0) }
        #expect(told(rounds) == [])
    }

    @Test func aBlindDetectorIsAnAlarmAtOnceAndItsRecoveryNeedsTwoRounds() throws {
        let good = Canaries.round(found: [4, 4, 4, 4, 4])
        let blind = Canaries.round(found: [4, 0, 0, 1, 0])
        #expect(told([good, blind, blind, good, good, good]) == ["2 CANARY", "5 CANARY-CLEAR"])
        guard case .alarm(let alarm) = rule.transition([good, blind], isStanding: false) else {
            Issue.record("no alarm")
            return
        }
        #expect(alarm.reason.contains("5 of 20") && alarm.reason.contains("less than 70 %"))
        #expect(alarm.reason.contains("artifact 0 of 4") && alarm.reason.contains("autoqc calibrate"))
    }

    @Test func fewCopiesProveNothingYet() {
        let small = Canaries.round(found: [0, 0, 0, 0, 0], copies: 1)
        #expect(told([small, small]) == [])
        #expect(told([small, small, small]) == ["3 CANARY"])
    }

    @Test func aClassThatIsLostIsNamedThoughTheRestIsFound() {
        let good = Canaries.round(found: [4, 4, 4, 4, 4])
        let lost = Canaries.round(found: [4, 4, 0, 4, 4])
        let rounds = [good, good, good, lost, lost]
        #expect(told(rounds) == ["5 CANARY"])
        guard case .alarm(let alarm) = rule.transition(rounds, isStanding: false) else { return }
        #expect(alarm.reason.contains("z-shift is not seen any more: 0 of 8 found, at first 8 of 8"))
        #expect(told(rounds + [good, good]) == ["5 CANARY", "6 CANARY-CLEAR"])
    }

    @Test func aClassThatWasNeverSeenIsNoLoss() {
        let weak = Canaries.round(found: [4, 4, 0, 4, 4])
        #expect(told([weak, weak, weak, weak, weak, weak]) == [])
    }

    @Test func anotherModelOrThresholdBeginsAnew() {
        let seen = Canaries.round(found: [4, 4, 4, 4, 4])
        let other = Canaries.round(found: [4, 4, 0, 4, 4], model: "000000")
        let higher = Canaries.round(found: [4, 4, 0, 4, 4], threshold: 9)
        #expect(told([seen, seen, other, other, higher, higher]) == [])
    }

    @Test func aShareOfZeroIsNever() {
        let blind = Canaries.round(found: [0, 0, 0, 0, 0])
        #expect(told([blind, blind, blind], by: CanaryRule(alarmBelow: 0)) == [])
    }
}

struct CanaryMemoryTests {
    private let rule = CanaryRule(alarmBelow: 0.7)

    @Test func itGoesOnFromTheEventsOfAnEarlierStart() throws {
        let good = Canaries.round(found: [4, 4, 4, 4, 4])
        let blind = Canaries.round(found: [4, 0, 0, 1, 0])
        var living = CanaryMemory()
        var told: [CanaryEvent] = []
        for round in [good, blind, blind, good, good, good] {
            var replayed = CanaryMemory(told)
            let events = living.add(round, rule: rule)
            #expect(replayed.add(round, rule: rule) == events)
            #expect(replayed.alarm == living.alarm && replayed.last == round)
            told += events
        }
        #expect(told.map(\.name).filter { $0 != "ROUND" } == ["CANARY", "CANARY-CLEAR"])
        #expect(living.alarm == nil)
    }

    @Test func aThresholdIsTheSameAsTheOneThatALogKeptOfIt() {
        // A log keeps four significant digits.
        let written = Canaries.round(found: [4, 4, 4, 4, 4], threshold: 5.815_219)
        let read = Canaries.round(found: [4, 4, 4, 4, 4], threshold: 5.815)
        let lost = Canaries.round(found: [4, 4, 0, 4, 4], threshold: 5.815_219)
        #expect(rule.transition([read, read, written, lost, lost], isStanding: false)?.name == "CANARY")
    }
}
