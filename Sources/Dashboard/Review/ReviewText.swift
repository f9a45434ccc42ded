import Charts
import Ledger
import Plate
import Reporting
import Rules

/// The sections of a review, as HTML.
struct ReviewText {
    private let review: RunReview
    private var html: String

    init(review: RunReview, audit: [String], lenses: [[LensTrend.Row]]) {
        self.review = review
        html = ""
        html = head + summary(audit) + plate + table + LensSection.html(lenses) + decisions
    }

    var size: Int { html.utf8.count }
    var finished: String { html + "</main></body></html>\n" }

    private var head: String {
        let title = HTMLText.escaped("autoqc review of run \(review.run)")
        let style = String(decoding: PackageResources.review_css, as: UTF8.self)
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" \
            content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(title)</title><style>
            \(style)</style></head><body><main>
            <h1>Run \(HTMLText.escaped(review.run))</h1>

            """
    }

    private func summary(_ audit: [String]) -> String {
        let share = review.judged > 0 ? 100 * Double(review.flagged) / Double(review.judged) : 0
        let figures = [
            ("first outcome", String(review.first.iso8601.prefix(16)).replacing("T", with: " ") + " UTC"),
            ("wells", "\(review.wellCount)"), ("frames judged", "\(review.judged)"),
            ("flagged", "\(review.flagged) (\(share.fixed(1)) %)"),
            ("unreadable", "\(review.unreadable)"), ("wells that turned faulty", "\(review.turnedFaulty)"),
        ]
        var text = "<dl class=\"figures\">"
        for (name, value) in figures { text += "<div><dt>\(name)</dt><dd>\(value)</dd></div>" }
        text += "</dl>\n<ul class=\"notes\">"
        let models = Set(review.sessions.map { "model \($0.model) in \($0.precision)" }).sorted()
        let thresholds = Set(review.wells.compactMap(\.threshold)).sorted().map { HTMLText.figure($0) }
        let notes = models + ["faulty above severity \(thresholds.joined(separator: ", "))"] + audit
        for note in notes { text += "<li>\(HTMLText.escaped(note))</li>" }
        return text + "</ul>\n"
    }

    private var plate: String {
        let (cell, margin) = (review.size.columns > 12 ? 22 : 40, 26)
        let (width, height) = (margin + review.size.columns * cell, margin + review.size.rows * cell)
        var drawing = ""
        for column in 1...review.size.columns {
            drawing += Self.label("\(column)", x: margin + column * cell - cell / 2, y: margin - 8)
        }
        for row in 0..<review.size.rows {
            let letters = Well(row: row, column: 1)?.description.dropLast(2) ?? ""
            drawing += Self.label(String(letters), x: margin - 14, y: margin + row * cell + cell / 2 + 4)
        }
        let known = Dictionary(grouping: review.wells, by: \.well)
        for row in 0..<review.size.rows {
            for column in 1...review.size.columns {
                guard let well = Well(row: row, column: column) else { continue }
                let (x, y) = (margin + column * cell - cell / 2, margin + row * cell + cell / 2)
                drawing += Self.circle(known[well] ?? [], named: well, x: x, y: y, radius: cell / 2 - 2)
            }
        }
        return """
            <section><h2>Plate</h2><svg class="plate" viewBox="0 0 \(width) \(height)" role="group" \
            aria-label="Plate map">\(drawing)</svg><p class="legend"><span><i class="k ok"></i> never faulty</span> \
            <span><i class="k some"></i> ! single frames flagged</span> <span><i class="k bad"></i> × turned faulty</span> \
            <span><i class="k lost"></i> ? unreadable frames</span> <span><i class="k none"></i> no frame</span></p></section>

            """
    }

    private static func label(_ text: String, x: Int, y: Int) -> String {
        "<text class=\"head\" x=\"\(x)\" y=\"\(y)\">\(text)</text>"
    }

    private static func circle(_ views: [RunReview.WellReview], named well: Well, x: Int, y: Int, radius: Int)
        -> String
    {
        let flagged = views.reduce(0) { $0 + $1.flagged }
        let (kind, sign): (String, String) =
            if views.isEmpty {
                ("none", "")
            } else if views.contains(where: { !$0.transitions.isEmpty }) {
                ("bad", "×")
            } else if views.contains(where: { $0.unreadable > 0 }) {
                ("lost", "?")
            } else {
                flagged > 0 ? ("some", "!") : ("ok", "")
            }
        let frames = views.reduce(0) { $0 + $1.frames }
        let title = views.isEmpty ? "\(well): no frame" : "\(well): \(flagged) of \(frames) flagged"
        let mark = sign.isEmpty ? "" : "<text class=\"sign \(kind)\" x=\"\(x)\" y=\"\(y + 5)\">\(sign)</text>"
        let circle = "<circle class=\"\(kind)\" cx=\"\(x)\" cy=\"\(y)\" r=\"\(radius)\"/>\(mark)"
        return views.isEmpty ? circle : "<a href=\"#\(well)\"><title>\(title)</title>\(circle)</a>"
    }

    private var table: String {
        var text = """
            <section><h2>Usable range of each well</h2>\(HTMLText.wideTable("Usable range of each well"))<thead><tr><th>well<th>frames<th>flagged<th>unreadable\
            <th>last good<th>first flagged<th>worst severity<th>severity over time<th>reviewer says</tr></thead><tbody>

            """
        var named: Set<Well> = []
        for well in review.wells {
            let id = named.insert(well.well).inserted ? " id=\"\(well.well)\"" : ""
            let name = well.view == .only ? "" : "<br>\(HTMLText.escaped(well.view.words))"
            let range = well.range
            let bad = range?.firstBad.map { "<b>\($0)</b>" } ?? "never"
            let good = range?.firstBad == nil ? "all" : range?.lastGood.map { "\($0)" } ?? "none"
            text += """
                <tr\(id) class="\(well.transitions.isEmpty ? "" : "bad")"><th>\(well.well)\(name)<td>\(well.frames)\
                <td>\(well.flagged)<td>\(well.unreadable)<td>\(good)<td>\(bad)<td>\(HTMLText.figure(well.worst))\
                <td>\(Sparkline.svg(well))<td>\(well.decision.map(Self.words) ?? "")</tr>

                """
        }
        return text + "</tbody></table></div></section>\n"
    }

    private var decisions: String {
        let made = review.decisions.filter { $0.frame != nil }
        guard !made.isEmpty else { return "" }
        var text =
            "<section><h2>Decisions on frames</h2>\(HTMLText.wideTable("Decisions on frames"))<thead><tr><th>well<th>frame<th>decision</tr></thead><tbody>"
        for decision in made {
            text +=
                "<tr><th>\(decision.well) \(HTMLText.escaped(decision.view.words))<td>\(decision.frame.map { "\($0)" } ?? "")<td>\(Self.words(decision))</tr>\n"
        }
        return text + "</tbody></table></div></section>\n"
    }

    private static func words(_ decision: Reporting.Decision) -> String {
        let kind =
            switch decision.kind {
            case .fault: "true fault"
            case .falseAlarm: "false alarm"
            case .unsure: "unsure"
            case .withdrawn: "taken back"
            }
        let words = [kind, decision.note, decision.reviewer].filter { !$0.isEmpty }.joined(separator: ", ")
        return HTMLText.escaped(words)
    }

    /// Adds the frames that are furthest from the threshold and nearest to it, on either side.
    mutating func add(ends: [(title: String, figures: [String])]) {
        html += "<section><h2>Most and least confident</h2>\n"
        for (title, figures) in ends where !figures.isEmpty {
            html += "<h3>\(title)</h3><div class=\"gallery\">\(figures.joined())</div>\n"
        }
        html += "</section>\n"
    }

    mutating func add(gallery figures: [String], leftOut: Int) {
        html += "<section><h2>Flagged frames</h2>\n"
        if figures.isEmpty, leftOut == 0 { html += "<p>No frame was flagged.</p>" }
        html += "<div class=\"gallery\">\(figures.joined())</div>\n"
        if leftOut > 0 {
            html +=
                "<p>\(leftOut) more are not shown: the file has a limit (<code>--megabytes</code>), or their files are gone.</p>"
        }
        html += "</section>\n"
    }
}

/// Each lens in a run beside its own past, as HTML.
enum LensSection {
    /// A table with a control chart in each row; nothing where there are no lenses.
    static func html(_ lenses: [[LensTrend.Row]]) -> String {
        guard !lenses.isEmpty else { return "" }
        let rows = lenses.compactMap { runs in runs.last.map { row($0, of: runs) } }
        return """
            <section><h2>Lenses</h2><p class="legend">Median severity of each lens, run by run (Levey-Jennings): \
            mean of the runs before this one, 1, 2 and 3 standard deviations around it; the ring is this run. From 3 \
            above on (×) look at the lens before its frames are faulty.</p>
            \(HTMLText.wideTable("Lenses"))<thead><tr><th>lens<th>frames<th>flagged<th>median severity<th>runs before<th>deviation\
            <th>run by run</tr></thead><tbody>
            \(rows.joined())</tbody></table></div></section>

            """
    }

    private static func row(_ row: LensTrend.Row, of runs: [LensTrend.Row]) -> String {
        let past =
            row.past.map { "\(HTMLText.figure($0.mean)) ± \(HTMLText.figure($0.spread))" }
            ?? "too few to tell"
        let deviation = row.deviation.map { ($0 < 0 ? "−" : "+") + abs($0).fixed(1) } ?? "–"
        return """
            <tr class="\(row.isOut ? "bad" : "")"><th>\(row.lens)<td>\(row.frames)<td>\(row.faulty)\
            <td>\(HTMLText.figure(row.median))<td>\(past)<td>\(deviation)<td>\(LensChart.svg(runs))</tr>

            """
    }
}

/// The control chart of a lens, small enough for a row of a table: a point for each run, and the limits that the runs before
/// the last one set.
enum LensChart {
    private static let room = Chart.Room(width: 340, height: 76, margin: 8, names: 34)
    private static let mostRuns = 30

    /// The drawing of a lens's runs, oldest first; what a point is stands in its title.
    static func svg(_ all: [LensTrend.Row]) -> String {
        let runs = all.suffix(mostRuns)
        let past = all.last?.past
        let points = runs.enumerated().map { (x: Double($0.offset), y: $0.element.median) }
        let reach = past.map { [$0.mean - 3.4 * $0.spread, $0.mean + 3.4 * $0.spread] } ?? []
        let values = (runs.map(\.median) + reach).filter { abs($0) < 1e300 }
        let (low, high) = (values.min() ?? 0, values.max() ?? 0)
        let slack = max(0.06 * (high - low), 1e-6)
        let chart = Chart(
            x: Axis(0...Double(max(runs.count - 1, 1))),
            y: Axis(low - slack...high + slack),
            curves: [Chart.Curve(points: points)],
            limits: past.map(limits) ?? [],
            marks: zip(runs, points).enumerated().map { index, shown in
                mark(shown.0, at: shown.1, isLast: index == runs.count - 1)
            }
        )
        let number = "\(runs.count) run\(runs.count == 1 ? "" : "s")"
        let sentence = "Median severity in \(number), now \(HTMLText.figure(runs.last?.median))"
        return chart.inset("lens", in: room, sentence: sentence)
    }

    /// The mean, and three standard deviations on either side of it.
    private static func limits(_ past: LensTrend.Past) -> [Chart.Limit] {
        (-3...3).map { deviation in
            let name = deviation == 0 ? "mean" : "\(deviation > 0 ? "+" : "−")\(abs(deviation)) s"
            return Chart.Limit(
                past.mean + Double(deviation) * past.spread,
                label: abs(deviation) % 3 == 0 ? name : "",
                kind: "s\(abs(deviation))"
            )
        }
    }

    private static func mark(_ row: LensTrend.Row, at point: Chart.Point, isLast: Bool) -> Chart.Mark {
        Chart.Mark(
            point,
            radius: isLast ? 5 : 2.5,
            title: "run \(row.run): \(HTMLText.figure(row.median))",
            kind: [isLast ? "this" : "", row.isOut ? "out" : ""].filter { !$0.isEmpty }.joined(separator: " ")
        )
    }
}

/// A well's severity over time, small enough for a row of a table.
enum Sparkline {
    private static let room = Chart.Room(width: 246, height: 30, margin: 3)

    /// The drawing: highest severity of each mark on a scale of roots, flagged marks as dots, the threshold as a line.
    static func svg(_ well: RunReview.WellReview) -> String {
        let top = [well.worst ?? 0, 1.3 * (well.threshold ?? 1)].filter(\.isFinite).max() ?? 0
        let points = well.buckets.enumerated().compactMap { index, bucket in
            bucket.high.map { (point: (x: Double(index), y: $0), isFlagged: bucket.flagged > 0) }
        }
        let chart = Chart(
            x: Axis(0...Double(max(well.buckets.count, 2) - 1)),
            y: Axis(0...max(top, .leastNormalMagnitude), scale: .squareRoot),
            curves: [Chart.Curve(points: points.map(\.point))],
            limits: well.threshold.map { [Chart.Limit($0)] } ?? [],
            marks: points.filter(\.isFlagged).map { Chart.Mark($0.point) }
        )
        return chart.inset("spark", in: room)
    }
}

/// Text that goes into HTML, with whatever a name from disk holds.
enum HTMLText {
    /// The text as it stands between tags and in quoted attributes.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The beginning of a table that a narrow screen moves sideways, also by the keyboard; `</table></div>` ends it.
    static func wideTable(_ name: String) -> String {
        "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"\(escaped(name))\"><table>"
    }

    /// A number with as many digits as one reads.
    static func figure(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "–" }
        let digits = abs(value) >= 100 ? 0 : abs(value) >= 10 ? 1 : 2
        return value.fixed(digits)
    }
}
