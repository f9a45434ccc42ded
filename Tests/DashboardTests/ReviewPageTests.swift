import Foundation
import Plate
import Reporting
import Rules
import Testing

@testable import Dashboard

struct ReviewPageTests {
    /// Seven runs of two lenses; the first gets worse in the last one, the second stays as it is.
    private func review(of run: String, _ page: OpenPage) throws -> String {
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
        let tree = page.tree
        let written = page.folder.appending(path: "review.html")
        let made = try ReviewPage(run: run, ledger: page.ledger, tree: tree, options: options)
        _ = try #require(made).write(to: written.path)
        return try String(contentsOf: written, encoding: .utf8)
    }

    @Test func aLensThatGetsWorseStandsOutInTheReview() async throws {
        try await OpenPage.with { page in
            let html = try review(of: "<run 6>", page)
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
            let written = page.folder.appending(path: "review.html")
            let made = try ReviewPage(run: OpenPage.run, ledger: page.ledger, tree: page.tree)
            _ = try #require(made).write(to: written.path)
            let html = try String(contentsOf: written, encoding: .utf8)
            let why = "severity 20.0 (limit 8.0): mostly tiles_top, in the upper left; air-bubble"
            #expect(html.contains("<b>B02 f7</b> \(why)<"))
            #expect(html.contains("<b>B02 f8</b> severity 1.0 (limit 8.0)<"))
        }
    }

    @Test func fewRunsShowPointsAndNoLimits() async throws {
        try await OpenPage.with { page in
            let html = try review(of: "<run 1>", page)
            let section = try #require(html.components(separatedBy: "<h2>Lenses</h2>").last)
            #expect(section.contains("too few to tell") && !section.contains("<line class=\"s"))
            #expect(section.components(separatedBy: "class=\"this\"").count == 3)
        }
    }
}
