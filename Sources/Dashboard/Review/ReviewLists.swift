import Foundation
import Plate
import Reporting
import Rules

/// What happened, as a table.
struct EventSection {
    let review: RunReview
    let times: RunTimes

    var html: String {
        guard !review.events.isEmpty else { return "" }
        var text =
            "<section><h2>Events</h2>\(HTMLText.wideTable("Events", kind: "events"))<thead><tr><th>time<th>event<th>well<th>what</tr></thead><tbody>\n"
        for event in review.events {
            let well = event.well.map { "<a href=\"#\($0)\">\($0)</a>" } ?? ""
            text += """
                <tr><td class="time">\(times.text(event.time))<td>\(event.kind.rawValue)<td>\(well)\
                <td>\(HTMLText.escaped(times.local(event.message)))</tr>

                """
        }
        text += "</tbody></table></div>"
        if review.hasEarlierEvents { text += "<p>Earlier events are not shown.</p>" }
        return text + "</section>\n"
    }
}

/// Every flagged frame with the term that speaks most against it, as a table.
struct FlaggedTable {
    let review: RunReview
    let times: RunTimes

    /// Rows, at most; `autoqc export` has all.
    private static let mostRows = 2000

    func html(_ episodes: [RunReview.Episode]) -> String {
        let frames = episodes.flatMap(\.frames)
        guard !frames.isEmpty else { return "" }
        var text = """
            <section><h2>Each flagged frame</h2>\(HTMLText.wideTable("Each flagged frame"))<thead><tr><th>well<th>frame<th>written\
            <th>severity<th>limit<th>most of all<th>cause<th>area<th>reviewers</tr></thead><tbody>

            """
        for record in frames.prefix(Self.mostRows) { text += row(record) }
        text += "</tbody></table></div>"
        let more = frames.count - Self.mostRows
        if more > 0 { text += "<p>\(more) more are not shown; <code>autoqc export</code> has all.</p>" }
        return text + "</section>\n"
    }

    private func row(_ record: FrameRecord) -> String {
        guard let frame = record.frame, let judgement = record.judgement else { return "" }
        let term = judgement.cause.cause == .frozen ? nil : judgement.term
        let cause = judgement.causeName.map { name in
            name + (judgement.confidence.map { " (\(Int(saturating: (100 * $0).rounded())) %)" } ?? "")
        }
        let said = review.reviews.on(frame, file: record.source.key, isFlagged: true)
        let cells = [
            "\(frame.index)", record.written.map(times.text) ?? "", HTMLText.figure(judgement.severity),
            HTMLText.figure(judgement.threshold),
            HTMLText.escaped(term.map(PlateReader.words) ?? "the same image again"),
            HTMLText.escaped(cause ?? ""), "\((100 * judgement.area).fixed(1)) %",
            HTMLText.escaped(said.map(\.words).joined(separator: "; ")),
        ]
        let view = frame.view == .only ? "" : "<br>\(HTMLText.escaped(frame.view.words))"
        return "<tr><th><a href=\"#\(frame.well)\">\(frame.well)</a>\(view)<td>"
            + cells.joined(separator: "<td>") + "</tr>\n"
    }
}

/// What reviewers decided, and how far they agree.
struct DecisionSection {
    let review: RunReview
    let times: RunTimes

    var html: String {
        let decisions = review.reviews.decisions
        guard !decisions.isEmpty else { return "" }
        var text = """
            <section><h2>Decisions</h2>\(agreement)\(HTMLText.wideTable("Decisions"))<thead><tr><th>well<th>frame<th>decision\
            <th>note<th>by<th>at</tr></thead><tbody>

            """
        for decision in decisions {
            let view = HTMLText.escaped(decision.view.words)
            text += """
                <tr><th>\(decision.well) \(view)<td>\(decision.frame.map { "\($0)" } ?? "whole well")\
                <td>\(Self.words(decision.kind))<td>\(HTMLText.escaped(decision.note))\
                <td>\(Self.name(decision.reviewer))<td class="time">\(decision.decided.localTime)</tr>

                """
        }
        return text + "</tbody></table></div></section>\n"
    }

    private var agreement: String {
        let pairs = review.reviews.pairs
        guard !pairs.isEmpty else { return "" }
        let rows = pairs.map { pair in
            let (agreement, share) = (pair.agreement, (100 * pair.agreement.observed).fixed(0))
            return "<tr><th>\(Self.name(pair.first)) and \(Self.name(pair.second))<td>\(agreement.items)"
                + "<td>\(share) %<td>\(agreement.kappa.map { $0.fixed(2) } ?? "not defined: one answer only")</tr>"
        }
        return """
            \(HTMLText.wideTable("Agreement"))<thead><tr><th>agreement<th>both decided<th>the same<th>Cohen's kappa\
            </tr></thead><tbody>\(rows.joined())</tbody></table></div><p class="legend">A frame on which they disagree counts as \
            faulty, and no model is fitted to it.</p>
            """
    }

    private static func name(_ reviewer: String) -> String {
        reviewer.isEmpty ? "no name" : HTMLText.escaped(reviewer)
    }

    private static func words(_ kind: Decision.Kind) -> String {
        switch kind {
        case .fault: "true fault"
        case .falseAlarm: "false alarm"
        case .unsure: "unsure"
        case .withdrawn: "taken back"
        }
    }
}
