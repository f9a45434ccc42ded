import Foundation
import Ledger
import Plate
import Reporting
import Rules

/// The sections of a review, as HTML.
struct ReviewText {
    private let review: RunReview
    private let times: RunTimes
    private let lenses: String
    private var html = ""

    init(review: RunReview, audit: [String], lenses: [[LensTrend.Row]], events: String) {
        self.review = review
        times = RunTimes(review.written)
        self.lenses = LensSection.html(lenses)
        html = head + summary(audit) + plate + WellTable(review: review, times: times).html + events
    }

    var size: Int { html.utf8.count + lenses.utf8.count }
    var finished: String { html + lenses + "</main></body></html>\n" }

    /// Adds a section before the lenses.
    mutating func add(_ section: String) { html += section }

    private var head: String {
        let title = HTMLText.escaped("autoqc review of run \(review.run)")
        let style = String(decoding: PackageResources.review_css, as: UTF8.self)
        let written = review.written.map { range in
            [range.lowerBound, range.upperBound].map(\.localTime).joined(separator: " to ")
        }
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" \
            content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(title)</title><style>
            \(style)</style></head><body><main>
            <h1>Run \(HTMLText.escaped(review.run))</h1>
            <p class="when">\(written.map { "Frames of \($0). " } ?? "")Review of \(Timestamp.now.localTime).</p>

            """
    }

    private func summary(_ audit: [String]) -> String {
        let verdicts = Set(review.wells.map(\.well)).compactMap(review.verdict)
        let wells = [UsableFrames.Verdict.usable, .partly, .not].map { verdict in
            verdicts.count { $0 == verdict }
        }
        var figures = [
            ("wells", "\(review.wellCount)"), ("usable", "\(wells[0])"), ("partly usable", "\(wells[1])"),
            ("not usable", "\(wells[2])"), ("frames", "\(review.frames)"),
            ("usable frames", Self.part(review.usable, of: review.frames)),
            ("flagged", Self.part(review.flagged, of: review.frames)),
        ]
        if !review.reviews.decisions.isEmpty {
            let flagged = review.wells.reduce(0) { $0 + $1.tally.flagged }
            figures.append(("flagged after decisions", Self.part(flagged, of: review.frames)))
        }
        if review.unreadable > 0 { figures.append(("unreadable", "\(review.unreadable)")) }
        if review.missing > 0 { figures.append(("never came", "\(review.missing)")) }
        var text = "<dl class=\"figures\">"
        for (name, value) in figures { text += "<div><dt>\(name)</dt><dd>\(value)</dd></div>" }
        text += "</dl>\n<ul class=\"notes\">"
        let models = Set(review.sessions.map { "model \($0.model) in \($0.precision)" }).sorted()
        let thresholds = Set(review.wells.compactMap(\.threshold)).sorted().map { HTMLText.figure($0) }
        let limit = "flagged above severity \(thresholds.joined(separator: ", "))"
        for note in [rule, limit] + models + audit { text += "<li>\(HTMLText.escaped(note))</li>" }
        return text + "</ul>\n"
    }

    /// What the table `autoqc export --usable` has is what the review has.
    private var rule: String {
        let (shortest, bridged) = (review.rule.shortest, review.rule.bridged)
        return
            "usable: in an interval of \(shortest) good frames or more; \(bridged) bad frame\(bridged == 1 ? "" : "s") in a row may lie "
            + "within\(review.rule.suspectsAreGood ? "" : "; suspect frames are bad"). A reviewer's decision comes before the verdict; "
            + "disputed frames are bad"
    }

    private static func part(_ count: Int, of all: Int) -> String {
        "\(count) (\((100 * Double(count) / Double(max(all, 1))).fixed(1)) %)"
    }

    private var plate: String {
        let isLarge = review.size.columns > 12
        let (cell, margin) = (isLarge ? 22 : 40, 26)
        let (width, height) = (margin + review.size.columns * cell, margin + review.size.rows * cell)
        var drawing = ""
        for column in 1...review.size.columns {
            drawing += Self.label("\(column)", x: margin + column * cell - cell / 2, y: margin - 8)
        }
        for row in 0..<review.size.rows {
            let letters = Well.letters(ofRow: row)
            drawing += Self.label(letters, x: margin - 14, y: margin + row * cell + cell / 2 + 4)
        }
        let known = Dictionary(grouping: review.wells, by: \.well)
        for row in 0..<review.size.rows {
            for column in 1...review.size.columns {
                guard let well = Well(row: row, column: column) else { continue }
                let (x, y) = (margin + column * cell - cell / 2, margin + row * cell + cell / 2)
                drawing += circle(known[well] ?? [], named: well, x: x, y: y, radius: cell / 2 - 2)
            }
        }
        return """
            <section><h2>Usable frames of each well</h2><svg class="plate\(isLarge ? " large" : "")" \
            viewBox="0 0 \(width) \(height)" role="group" \
            aria-label="Plate map">\(drawing)</svg><p class="legend"><span><i class="k ok"></i> all usable</span> \
            <span><i class="k some"></i> partly: percent of the frames</span> <span><i class="k bad"></i> × none</span> \
            <span><i class="k none"></i> no frame</span></p></section>

            """
    }

    private static func label(_ text: String, x: Int, y: Int) -> String {
        "<text class=\"head\" x=\"\(x)\" y=\"\(y)\">\(text)</text>"
    }

    private func circle(
        _ views: [RunReview.WellReview],
        named well: Well,
        x: Int,
        y: Int,
        radius: Int
    ) -> String {
        let (usable, frames) = views.reduce((0, 0)) { ($0.0 + $1.usable.usable, $0.1 + $1.frames) }
        // Never 100 for a well that lacks frames, nor 0 for one that has some.
        let share = min(max(Int(100 * Double(usable) / Double(max(frames, 1))), 1), 99)
        let (kind, sign) =
            switch review.verdict(of: well) {
            case nil: ("none", "")
            case .usable: ("ok", "")
            case .partly: ("some", "\(share)")
            case .not: ("bad", "×")
            }
        let causes = Set(views.compactMap(\.tally.cause)).sorted().joined(separator: ", ")
        let title =
            "\(well): \(usable) of \(frames) frames usable" + (causes.isEmpty ? "" : "; \(causes)")
        let mark = sign.isEmpty ? "" : "<text class=\"sign \(kind)\" x=\"\(x)\" y=\"\(y + 5)\">\(sign)</text>"
        let circle = "<circle class=\"\(kind)\" cx=\"\(x)\" cy=\"\(y)\" r=\"\(radius)\"/>\(mark)"
        return views.isEmpty
            ? circle : "<a href=\"#\(well)\"><title>\(HTMLText.escaped(title))</title>\(circle)</a>"
    }
}
