import Foundation
import Plate
import Reporting
import Rules
import Testing

@testable import Dashboard

struct ReviewPageTests {
    private func review(of run: String, _ page: OpenPage) throws -> String {
        try #require(try ReviewPage(run: run, ledger: page.ledger, tree: page.tree)).html().text
    }

    /// From a title of the page to the next one.
    private func section(_ title: String, of html: String) -> String {
        let after = html.components(separatedBy: "<h2>\(title)</h2>").dropFirst().first ?? ""
        return after.components(separatedBy: "<h2>")[0]
    }

    /// Seven runs of two lenses; the first gets worse in the last one, the second stays as it is.
    private func reviewOfLenses(in run: String, _ page: OpenPage) throws -> String {
        for number in 0..<7 {
            for frame in 0..<3 {
                let usual = 1 + 0.1 * Double(number % 3)
                let worse = number == 6 ? 2.0 : 0
                try page.add("A1", frame: frame, severity: usual + worse, run: "<run \(number)>")
                try page.add("A2", frame: frame, severity: usual, run: "<run \(number)>")
            }
        }
        var options = ReviewPage.Options()
        options.lenses = try LensHistory(rules: PlateRules()).trend(of: page.ledger).charts(of: run)
        let made = try ReviewPage(run: run, ledger: page.ledger, tree: page.tree, options: options)
        return try #require(made).html().text
    }

    @Test func aLensThatGetsWorseStandsOutInTheReview() async throws {
        try await OpenPage.with { page in
            let html = try reviewOfLenses(in: "<run 6>", page)
            let section = try #require(html.components(separatedBy: "<h2>Lenses</h2>").last)
            let rows = section.components(separatedBy: "<tr class=").dropFirst().prefix(2).map { String($0) }
            #expect(rows[0].hasPrefix("\"bad\"><th>1<td>3<td>0<td>3.00<td>1.10 ± 0.09<td>+"))
            #expect(rows[1].hasPrefix("\"\"><th>2<td>3<td>0<td>1.00<td>1.10 ± 0.09<td>−"))
            // A point for each run, this one marked, and the mean with three deviations on either side.
            #expect(rows.map { $0.components(separatedBy: "<circle").count - 1 } == [7, 7])
            #expect(rows.map { $0.components(separatedBy: "<line").count - 1 } == [7, 7])
            #expect(rows[0].contains("class=\"this out\"") && rows[1].contains("class=\"this\""))
            #expect(section.contains("run &lt;run 6&gt;: 3.00") && !html.contains("<run"))
            #expect(!section.contains("style="), "the page forbids itself styles of elements")
        }
    }

    @Test func aFlaggedFrameSaysWhy() async throws {
        try await OpenPage.with { page in
            try page.add("B2", frame: 7, verdict: .faulty, wellIsFaulty: true, severity: 20)
            try page.add("B2", frame: 8, severity: 1)
            let html = try review(of: OpenPage.run, page)
            let why = "severity 20.0 (limit 8.0): mostly tiles_top, in the upper left"
            #expect(html.contains("<br>f7: \(why)</figcaption>"))
            #expect(html.contains("1 flagged, frames 7 · ") && html.contains(" · air-bubble<br>"))
            #expect(html.components(separatedBy: "<figure").count == 2, "only flagged frames have a picture")
            let rows = section("Each flagged frame", of: html).components(separatedBy: "<tr><th><a ")
                .dropFirst()
            #expect(rows.count == 1)
            #expect(
                rows.first?.contains("<td>20.0<td>8.00<td>tiles_top<td>air-bubble (75 %)<td>4.0 %<td>")
                    == true
            )
        }
    }

    @Test func fewRunsShowPointsAndNoLimits() async throws {
        try await OpenPage.with { page in
            let html = try reviewOfLenses(in: "<run 1>", page)
            let section = try #require(html.components(separatedBy: "<h2>Lenses</h2>").last)
            #expect(section.contains("too few to tell") && !section.contains("<line class=\"s"))
            #expect(section.components(separatedBy: "class=\"this\"").count == 3)
        }
    }

    @Test func whatCanBeUsedIsSeenOnTheMapAndInTheTable() async throws {
        try await OpenPage.with { page in
            for frame in 0..<20 {
                try page.add("A1", frame: frame)
                // A fault for a while, and one that stays.
                try page.add("A2", frame: frame, verdict: (6..<10).contains(frame) ? .faulty : .normal)
                try page.add("A3", frame: frame, verdict: .faulty, severity: 20)
            }
            let html = try review(of: OpenPage.run, page)
            let map = section("Usable frames of each well", of: html)
            #expect(map.contains("<title>A01: 20 of 20 frames usable</title><circle class=\"ok\""))
            #expect(
                map.contains("<title>A02: 16 of 20 frames usable; air-bubble</title><circle class=\"some\"")
            )
            #expect(map.contains(">80</text>"), "the share in percent")
            #expect(
                map.contains("<title>A03: 0 of 20 frames usable; air-bubble</title><circle class=\"bad\"")
            )
            let rows = section("Wells", of: html).components(separatedBy: "<tr ").dropFirst(2)
            let second = try #require(rows.first)
            #expect(second.hasPrefix("id=\"A02\" class=\"some\">"))
            #expect(second.contains("<td data-name=\"intervals\">0–5, 10–19<"))
            #expect(second.contains("<td data-name=\"cause\">air-bubble<"))
            let bar = second.components(separatedBy: "<rect class=\"").dropFirst().map {
                $0.prefix { $0 != "\"" }
            }
            #expect(bar == ["usable", "flagged", "usable"], "in order of time")
        }
    }

    @Test func aFalseAlarmIsUsableAndADisputedFrameIsNot() async throws {
        try await OpenPage.with { page in
            for frame in 0..<12 {
                try page.add("A1", frame: frame, verdict: [5, 8].contains(frame) ? .faulty : .normal)
            }
            for (frame, kind, name) in [
                (5, Decision.Kind.falseAlarm, "Ada"), (8, .falseAlarm, "Ada"), (5, .falseAlarm, "Bob"),
                (8, .fault, "Bob"),
            ] { try page.decide("A1", frame: frame, kind, by: name) }
            let html = try review(of: OpenPage.run, page)
            let row = section("Wells", of: html)
            #expect(row.contains("<td data-name=\"usable\">11 of 12<td data-name=\"intervals\">0–11<"))
            #expect(row.contains("<td data-name=\"flagged frames\">8<"))
            let decisions = section("Decisions", of: html)
            #expect(decisions.contains("<tr><th>Ada and Bob<td>2<td>50 %<td>0.00</tr>"))
            #expect(decisions.components(separatedBy: "<td>false alarm<").count == 4)
        }
    }

    @Test func eventsHaveTimesWithTheirZone() async throws {
        try await OpenPage.with { page in
            try page.add("A1", frame: 0)
            try page.announce(.onset, "A1", frame: 0, severity: 20)
            let events = section("Events", of: try review(of: OpenPage.run, page))
            let time = Timestamp(nanoseconds: 1_795_341_660_000_000_000).localClock
            #expect(events.contains("<td class=\"time\">\(time)<td>ONSET<td><a href=\"#A01\">A01</a><td>"))
        }
    }

    @Test func picturesThatDoNotFitAreCountedAndTheirFramesAreListed() async throws {
        try await OpenPage.with { page in
            for well in ["A1", "A2", "A3"] { try page.add(well, frame: 0, verdict: .faulty, severity: 20) }
            var options = ReviewPage.Options()
            options.largestSize = 1
            let made = try ReviewPage(
                run: OpenPage.run,
                ledger: page.ledger,
                tree: page.tree,
                options: options
            )
            let (html, outcome) = try #require(made).html()
            #expect(outcome.pictures == 0 && outcome.leftOut == 3)
            #expect(html.contains("<p>3 have no picture"))
            #expect(section("Each flagged frame", of: html).components(separatedBy: "<tr><th><a ").count == 4)
        }
    }
}
