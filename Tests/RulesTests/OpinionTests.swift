import Plate
import Rules
import Testing

struct OpinionTests {
    @Test func peopleAgreeWhereAllSayTheSame() {
        #expect(Opinion(of: []) == nil)
        #expect(Opinion(of: [.fault, .fault]) == .fault)
        #expect(Opinion(of: [.fault, .falseAlarm]) == .disputed)
        #expect(Opinion(of: [.falseAlarm, .unsure]) == .disputed)
    }

    /// Tables of counts: so many gave the row's answer first, and the column's second.
    @Test func kappaIsCohens() throws {
        func agreement(_ counts: [[Int]]) -> Agreement? {
            let opinions: [Opinion] = [.fault, .falseAlarm, .unsure]
            return Agreement(
                counts.enumerated().flatMap { row, cells in
                    cells.enumerated().flatMap { column, count in
                        [(first: Opinion, second: Opinion)](
                            repeating: (opinions[row], opinions[column]),
                            count: count
                        )
                    }
                }
            )
        }
        // The textbook's 50 proposals: both yes 20, both no 15; 0.7 alike, 0.5 by chance.
        let two = try #require(agreement([[20, 5], [10, 15]]))
        #expect(try abs(#require(two.kappa) - 0.4) < 1e-12)
        // Three answers: 4 of 6 alike; by chance 1/2 * 1/2 + 1/3 * 1/2.
        let three = try #require(agreement([[2, 1, 0], [0, 2, 0], [1, 0, 0]]))
        #expect(try three.items == 6 && abs(#require(three.kappa) - 3.0 / 7) < 1e-12)
        #expect(agreement([[3]])?.kappa == nil, "one answer throughout says nothing of chance")
        #expect(agreement([[1, 0], [0, 1]])?.kappa == 1)
        #expect(agreement([]) == nil)
    }
}

struct UsableTallyTests {
    /// Frames by letter, as in `UsableFramesTests`; capitals are what a reviewer makes of a flagged frame: `N`ormal, `D`isputed.
    private func tally(_ letters: String) -> UsableTally {
        var tally = UsableTally()
        for (index, letter) in letters.enumerated() where letter != " " {
            let point = SeriesPoint(
                frame: index,
                state: letter == "u" ? .quarantined : .judged,
                isFaulty: "fND".contains(letter),
                isSuspect: letter == "s",
                cause: "fND".contains(letter) ? "z-shift" : nil
            )
            tally.add(point, letter == "N" ? .falseAlarm : letter == "D" ? .disputed : nil)
        }
        return tally
    }

    private func stretches(_ letters: String) -> [String] {
        let tally = tally(letters)
        return tally.stretches(of: tally.usable()).map { "\($0.first)-\($0.last) \($0.use)" }
    }

    @Test func stretchesTellTheUseOfEveryFrame() {
        #expect(stretches("ggggg") == ["0-4 usable"])
        #expect(
            stretches("gggsgffggu  ggggg") == [
                "0-2 usable", "3-3 suspect", "4-4 usable", "5-6 flagged", "7-8 short", "9-9 unreadable",
                "10-11 missing", "12-16 usable",
            ]
        )
        #expect(stretches("gggfggg") == ["0-2 usable", "3-3 flagged", "4-6 usable"], "it is bridged")
        #expect(stretches("") == [])
    }

    @Test func aReviewersWordComesBeforeTheVerdict() {
        let tally = tally("ggggNggDDggggg")
        #expect(tally.flagged == 2 && tally.flaggedFrames == 7...8 && tally.cause == "z-shift")
        #expect(tally.usable().intervals.map { "\($0.first)-\($0.last)" } == ["0-6", "9-13"])
    }
}
