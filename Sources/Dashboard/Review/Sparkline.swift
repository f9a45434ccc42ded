/// A well's severity over time, small enough for a row of a table.
enum Sparkline {
    private static let (width, height) = (240.0, 30.0)

    /// The drawing: highest severity of each mark on a scale of roots, flagged marks as dots, the threshold as a line.
    static func svg(_ well: RunReview.WellReview) -> String {
        let top = max(well.worst ?? 0, 1.3 * (well.threshold ?? 1)).squareRoot()
        let y = { (severity: Double) in height - 2 - max(severity, 0).squareRoot() / top * (height - 4) }
        let step = width / Double(max(well.buckets.count, 2) - 1)
        var points: [String] = []
        var dots = ""
        for (index, bucket) in well.buckets.enumerated() {
            guard let high = bucket.high else { continue }
            let place = (HTMLText.fixed(Double(index) * step, 1), HTMLText.fixed(y(high), 1))
            points.append("\(place.0),\(place.1)")
            if bucket.flagged > 0 { dots += "<circle cx=\"\(place.0)\" cy=\"\(place.1)\" r=\"2\"/>" }
        }
        let limit = well.threshold.map { HTMLText.fixed(y($0), 1) }
        let line = limit.map { "<line x1=\"0\" x2=\"\(Int(width))\" y1=\"\($0)\" y2=\"\($0)\"/>" } ?? ""
        return """
            <svg class="spark" viewBox="-3 0 \(Int(width) + 6) \(Int(height))" aria-hidden="true">\(line)\
            <polyline points="\(points.joined(separator: " "))"/>\(dots)</svg>
            """
    }
}
