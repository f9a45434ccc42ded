import Plate
import Rules
import Testing

struct LensTrendTests {
    @Test func aLensThatGetsWorseStandsOutFromItsOwnPast() throws {
        var trend = LensTrend()
        for run in 0..<7 {
            var tally = LensTally(rules: PlateRules())
            for name in ["A1", "B2", "E5"] {
                let well = try #require(Well(name))
                for index in 0..<9 {
                    // Wells A1 and E5 are under lens 1, which is worse in the last run.
                    let worse = run == 6 && name != "B2" ? 3.0 : 0
                    tally.add(
                        well,
                        severity: 1 + 0.1 * Double(run % 3) + worse,
                        isFaulty: index == 0 && name == "B2"
                    )
                }
            }
            trend.add("run\(run)", tally.summaries)
        }
        let rows = trend.rows
        #expect(rows.map(\.run).first == "run0" && rows.map(\.run).last == "run6")
        #expect(rows.filter { $0.run == "run6" }.map(\.lens) == [1, 6])
        #expect(rows.filter { $0.run == "run4" }.allSatisfy { $0.deviation == nil })
        let last = rows.suffix(2)
        #expect(last.map(\.frames) == [18, 9] && last.map(\.faulty) == [0, 1])
        #expect(try #require(last.first?.deviation) > LensTrend.limit)
        #expect(try #require(last.last?.deviation) < 2)
        #expect(last.map(\.isOut) == [true, false])
        // A chart of a run ends with it: what came later is not its past.
        #expect(trend.charts(of: "run6").map(\.count) == [7, 7])
        #expect(trend.charts(of: "run4").map { $0.map(\.run).last } == ["run4", "run4"])
        #expect(trend.charts(of: "run9").isEmpty)
    }
}
