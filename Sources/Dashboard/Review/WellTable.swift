import Charts
import Plate
import Reporting
import Rules

/// What of each well can be used, and when it was faulty, as a table.
struct WellTable {
    let review: RunReview
    let times: RunTimes

    /// Intervals that are named, at most.
    private static let mostIntervals = 5

    var html: String {
        var text = """
            <section><h2>Wells</h2><p class="legend">Over time: <span><i class="b usable"></i> usable</span> \
            <span><i class="b suspect"></i> usable, suspect</span> <span><i class="b flagged"></i> flagged</span> \
            <span><i class="b unreadable"></i> unreadable</span> <span><i class="b short"></i> too few in a row</span> \
            <span><i class="b missing"></i> never came</span></p><p class=\"legend\">The curve is the severity, the dashed line its limit.</p>\
            \(HTMLText.wideTable("Wells", kind: "wells"))<thead><tr><th>well<th>\(axis)<th>usable<th>intervals<th>flagged\
            <th>cause<th>flagged frames<th>worst severity<th>reviewers on the well</tr></thead><tbody>

            """
        var named: Set<Well> = []
        for well in review.wells {
            text += row(well, id: named.insert(well.well).inserted ? " id=\"\(well.well)\"" : "")
        }
        return text + "</tbody></table></div></section>\n"
    }

    private var axis: String {
        let frames = "frames \(review.indices.lowerBound) to \(review.indices.upperBound)"
        return review.written.map {
            "\(frames)<br>\(times.text($0.lowerBound)) to \(times.text($0.upperBound))"
        } ?? frames
    }

    private func row(_ well: RunReview.WellReview, id: String) -> String {
        let (usable, tally) = (well.usable, well.tally)
        let name = well.view == .only ? "" : "<br>\(HTMLText.escaped(well.view.words))"
        let verdict = ["usable": "", "partly": "some", "not": "bad"][usable.verdict.rawValue] ?? ""
        let flagged = tally.flaggedFrames.map { Self.words($0.lowerBound, $0.upperBound) } ?? ""
        let cells = [
            ("over time", UsableBar.svg(well, over: review.indices)),
            ("usable", "\(usable.usable) of \(usable.frames)"), ("intervals", Self.words(usable.intervals)),
            ("flagged", tally.flagged > 0 ? "\(tally.flagged)" : "–"),
            ("cause", HTMLText.escaped(tally.cause ?? "")), ("flagged frames", flagged),
            ("worst severity", HTMLText.figure(well.worst)),
            ("reviewers", HTMLText.escaped(well.decisions.map(\.words).joined(separator: "; "))),
        ]
        return "<tr\(id) class=\"\(verdict)\"><th>\(well.well)\(name)"
            + cells.map { HTMLText.cell($0.0, $0.1) }.joined() + "</tr>\n"
    }

    private static func words(_ intervals: [UsableFrames.Interval]) -> String {
        let named = intervals.prefix(mostIntervals).map { words($0.first, $0.last) }
        let more = intervals.count - named.count
        return (named + (more > 0 ? ["\(more) more"] : [])).joined(separator: ", ")
    }

    static func words(_ first: Int, _ last: Int) -> String {
        first == last ? "\(first)" : "\(first)–\(last)"
    }
}

/// A view's frames over time, small enough for a row of a table: a bar of what can be used, and the severity above it.
enum UsableBar {
    private static let room = Chart.Room(width: width, height: 30, margin: margin)
    private static let width = 246
    private static let margin = 3.0
    /// Parts of the bar, at most: more than a screen shows.
    private static let mostParts = 480

    /// The drawing, over the indices of the run's frames.
    static func svg(_ well: RunReview.WellReview, over indices: ClosedRange<Int>) -> String {
        curve(well, over: indices) + bar(well, over: indices)
    }

    /// Highest severity of each mark on a scale of roots, flagged marks as dots, the threshold as a line.
    private static func curve(_ well: RunReview.WellReview, over indices: ClosedRange<Int>) -> String {
        let top = [well.worst ?? 0, 1.3 * (well.threshold ?? 1)].filter(\.isFinite).max() ?? 0
        let points = well.buckets.compactMap { bucket in
            bucket.high.map { high in
                let middle = (Double(bucket.first) + Double(bucket.last)) / 2
                return (point: (x: middle, y: high), isFlagged: bucket.flagged > 0)
            }
        }
        let (first, last) = (Double(indices.lowerBound), Double(indices.upperBound))
        let chart = Chart(
            x: Axis(first - 0.5...last + 0.5),
            y: Axis(0...max(top, .leastNormalMagnitude), scale: .squareRoot),
            curves: [Chart.Curve(points: points.map(\.point))],
            limits: well.threshold.map { [Chart.Limit($0)] } ?? [],
            marks: points.filter(\.isFlagged).map { Chart.Mark($0.point) }
        )
        return chart.inset("spark", in: room)
    }

    private static func bar(_ well: RunReview.WellReview, over indices: ClosedRange<Int>) -> String {
        let stretches = well.tally.stretches(of: well.usable)
        let count = Double(indices.upperBound - indices.lowerBound) + 1
        let parts = min(Double(mostParts), count)
        func part(_ index: Int) -> Int {
            min(Int(parts) - 1, Int((Double(index - indices.lowerBound) + 0.5) / count * parts))
        }
        // Of the uses that share a part, the worst is drawn.
        var uses = [UsableTally.Use?](repeating: nil, count: Int(parts))
        for stretch in stretches {
            for part in part(stretch.first)...part(stretch.last) where rank(stretch.use) > rank(uses[part]) {
                uses[part] = stretch.use
            }
        }
        let step = (Double(width) - 2 * margin) / parts
        var (drawing, start) = ("", 0)
        for end in 1...uses.count where end == uses.count || uses[end] != uses[start] {
            if let use = uses[start] {
                let (x, length) = (margin + Double(start) * step, Double(end - start) * step)
                drawing +=
                    "<rect class=\"\(use)\" x=\"\(x.fixed(1))\" width=\"\(length.fixed(1))\" height=\"9\"/>"
            }
            start = end
        }
        let sentence = "\(well.usable.usable) of \(well.usable.frames) frames usable"
        return
            "<svg class=\"bar\" viewBox=\"0 0 \(width) 9\" role=\"img\" aria-label=\"\(sentence)\">\(drawing)</svg>"
    }

    private static func rank(_ use: UsableTally.Use?) -> Int {
        switch use {
        case nil: 0
        case .usable: 1
        case .suspect: 2
        case .short: 3
        case .missing: 4
        case .unreadable: 5
        case .flagged: 6
        }
    }
}
