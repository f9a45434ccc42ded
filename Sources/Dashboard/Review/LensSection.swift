import Charts
import Plate
import Rules

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
