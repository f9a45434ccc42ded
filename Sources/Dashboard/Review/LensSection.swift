import Reporting

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
            <table><thead><tr><th>lens<th>frames<th>flagged<th>median severity<th>runs before<th>deviation\
            <th>run by run</tr></thead><tbody>
            \(rows.joined())</tbody></table></section>

            """
    }

    private static func row(_ row: LensTrend.Row, of runs: [LensTrend.Row]) -> String {
        let past =
            row.past.map { "\(HTMLText.figure($0.mean)) ± \(HTMLText.figure($0.spread))" }
            ?? "too few to tell"
        let deviation = row.deviation.map { ($0 < 0 ? "−" : "+") + HTMLText.fixed(abs($0), 1) } ?? "–"
        return """
            <tr class="\(row.isOut ? "bad" : "")"><th>\(row.lens)<td>\(row.frames)<td>\(row.faulty)\
            <td>\(HTMLText.figure(row.median))<td>\(past)<td>\(deviation)<td>\(LensChart.svg(runs))</tr>

            """
    }
}
