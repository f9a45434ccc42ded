import Charts

/// A well's severity over time, small enough for a row of a table.
enum Sparkline {
    private static let room = Chart.Room(width: 246, height: 30, margin: 3)

    /// The drawing: highest severity of each mark on a scale of roots, flagged marks as dots, the threshold as a line.
    static func svg(_ well: RunReview.WellReview) -> String {
        let top = max(well.worst ?? 0, 1.3 * (well.threshold ?? 1))
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
