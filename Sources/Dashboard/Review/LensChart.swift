import Charts
import Reporting
import Rules

/// The control chart of a lens, small enough for a row of a table: a point for each run, and the limits that the runs before
/// the last one set.
enum LensChart {
    private static let room = Chart.Room(width: 340, height: 76, margin: 8, names: 34)
    /// Runs that are drawn, at most.
    private static let mostRuns = 30

    /// The drawing of a lens's runs, oldest first; what a point is stands in its title.
    static func svg(_ all: [LensTrend.Row]) -> String {
        let runs = all.suffix(mostRuns)
        let past = all.last?.past
        let points = runs.enumerated().map { (x: Double($0.offset), y: $0.element.median) }
        let reach = past.map { [$0.mean - 3.4 * $0.spread, $0.mean + 3.4 * $0.spread] } ?? []
        let values = runs.map(\.median) + reach
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
