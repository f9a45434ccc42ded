import Rules

/// The control chart of a lens, small enough for a row of a table: a point for each run, and the limits that the runs before
/// the last one set.
struct LensChart {
    private static let (width, height, margin) = (340.0, 76.0, 34.0)
    /// Runs that are drawn, at most.
    private static let mostRuns = 30

    private let runs: [LensTrend.Row]
    private let past: LensTrend.Past?
    private let low: Double
    private let high: Double

    /// Takes a lens's runs, oldest first.
    init(_ all: [LensTrend.Row]) {
        runs = all.suffix(Self.mostRuns)
        past = all.last?.past
        let limits = past.map { [$0.mean - 3.4 * $0.spread, $0.mean + 3.4 * $0.spread] } ?? []
        let values = runs.map(\.median) + limits
        let (low, high) = (values.min() ?? 0, values.max() ?? 0)
        let room = max(0.06 * (high - low), 1e-6)
        (self.low, self.high) = (low - room, high + room)
    }

    /// The drawing; what a point is stands in its title.
    var svg: String {
        let places = runs.indices.map { "\(x($0)),\(y(runs[$0].median))" }.joined(separator: " ")
        let points = runs.indices.map(point).joined()
        return """
            <svg class="lens" viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" aria-label="\(sentence)">\
            \(limits)<polyline points="\(places)"/>\(points)</svg>
            """
    }

    private var limits: String {
        guard let past else { return "" }
        return (-3...3).map { deviation in
            let at = y(past.mean + Double(deviation) * past.spread)
            let name = deviation == 0 ? "mean" : "\(deviation > 0 ? "+" : "−")\(abs(deviation)) s"
            let label = "<text x=\"\(Int(Self.width - Self.margin) + 4)\" y=\"\(at)\">\(name)</text>"
            return """
                <line class="s\(abs(deviation))" x1="0" x2="\(Int(Self.width - Self.margin))" y1="\(at)" y2="\(at)"/>\
                \(abs(deviation) % 3 == 0 ? label : "")
                """
        }.joined()
    }

    private func point(_ index: Int) -> String {
        let row = runs[index]
        let isThis = index == runs.count - 1
        let kind = [isThis ? "this" : "", row.isOut ? "out" : ""].filter { !$0.isEmpty }
            .joined(separator: " ")
        let title = HTMLText.escaped("run \(row.run): \(HTMLText.figure(row.median))")
        return """
            <circle class="\(kind)" cx="\(x(index))" cy="\(y(row.median))" r="\(isThis ? 5 : 2.5)">\
            <title>\(title)</title></circle>
            """
    }

    private var sentence: String {
        "Median severity in \(runs.count) run\(runs.count == 1 ? "" : "s"), now \(HTMLText.figure(runs.last?.median))"
    }

    private func x(_ index: Int) -> String {
        let step = (Self.width - Self.margin - 16) / Double(max(runs.count - 1, 1))
        return HTMLText.fixed(8 + Double(index) * step, 1)
    }

    private func y(_ value: Double) -> String {
        HTMLText.fixed(6 + (high - value) / (high - low) * (Self.height - 12), 1)
    }
}
