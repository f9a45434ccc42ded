import Detection
import Faults
import Foundation
import Frames
import Plate
import TestSupport
import Testing

@testable import Verdict

/// docs/verdict.md recomputes one frame; its numbers are those of this program and of the shipped model.
struct VerdictPageTests {
    private let page: String
    private let calibration: Calibration
    private let evidence: Evidence
    private let judgement: Judgement

    init() throws {
        page = try String(contentsOf: packageRoot.appending(path: "docs/verdict.md"), encoding: .utf8)
        let path = packageRoot.appending(path: "examples/models/complexeye.safetensors").path
        let (model, _) = try Model.read(path: path)
        let example = packageRoot.appending(path: "examples/frames/01_A1_f300.tiff").path
        let frame = try #require(
            TestFault.copy(of: try TIFFReader(path: example).frame(page: 0), cause: .contamination, seed: 0)
        )
        let map = try FrameScorer(model: model, path: path).map(of: frame)
        calibration = try #require(model.description.calibration)
        evidence = calibration.evidence(of: frame, map: map)
        judgement = calibration.judge(evidence, map: map, causes: model.description.causes)
    }

    /// A row of the page's table of terms.
    private struct Row {
        let term: String
        let figure, median, spread, weight, contribution: Double
    }

    private var rows: [Row] {
        page.split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            let numbers = cells.dropFirst().compactMap { Double($0) }
            guard cells.count == 6, numbers.count == 5 else { return nil }
            return Row(
                term: cells[0].trimmingCharacters(in: ["`"]),
                figure: numbers[0],
                median: numbers[1],
                spread: numbers[2],
                weight: numbers[3],
                contribution: numbers[4]
            )
        }
    }

    /// The page's digits, and what processors round differently.
    private func agree(_ found: Double, _ written: Double) -> Bool {
        abs(found - written) <= 0.01 + 0.01 * abs(written)
    }

    /// The page's table as it should be.
    private var table: String {
        let severity = calibration.limits(for: evidence).severity
        return judgement.terms.compactMap { found -> String? in
            guard let term = SeverityTerm.named(found.term), let value = severity.figure(of: term, evidence),
                let scale = severity.scale(of: found.term)
            else { return nil }
            let isBelow = term.direction == .either && value < scale.median
            let numbers = [value, scale.median, isBelow ? scale.spreadBelow : scale.spreadAbove]
            let cells =
                numbers.map { String(format: "%.3f", $0) }
                + [term.weight, found.value].map { String(format: "%.2f", $0) }
            return "| `\(found.term)` | " + cells.joined(separator: " | ") + " |"
        }.joined(separator: "\n")
    }

    @Test func theTermsOfTheFrameAreThoseOfThePage() throws {
        #expect(rows.map(\.term) == judgement.terms.map(\.term))
        #expect(
            zip(rows, judgement.terms).allSatisfy { agree($1.value, $0.contribution) },
            "severity \(judgement.severity), mask \(judgement.area), \(judgement.cause); the table should be\n\(table)"
        )
        let severity = calibration.limits(for: evidence).severity
        for (row, found) in zip(rows, judgement.terms) {
            let term = try #require(SeverityTerm.named(row.term))
            let scale = try #require(severity.scale(of: row.term))
            #expect(agree(try #require(severity.figure(of: term, evidence)), row.figure), "\(row.term)")
            let isEither = term.direction == .either
            let spread = isEither && row.figure < row.median ? scale.spreadBelow : scale.spreadAbove
            #expect(agree(scale.median, row.median) && agree(spread, row.spread), "\(row.term)")
            #expect(term.weight == row.weight, "\(row.term)")
            #expect(agree(found.value, row.contribution), "\(row.term)")
            let distance = row.weight * (row.figure - row.median) / row.spread
            #expect(agree(isEither ? abs(distance) : distance, row.contribution), "\(row.term)")
        }
    }

    @Test func theFormulaOfThePageGivesItsSeverityAndVerdict() {
        let sum = rows.reduce(0) { $0 + exp($1.contribution) }
        let severity = max(0, log(sum / Double(rows.count)))
        #expect(agree(severity, judgement.severity))
        #expect(judgement.verdict == .faulty)
        let sentence = judgement.explanation { SeverityTerm.named($0)?.words ?? $0 }
        #expect(page.contains(sentence), "the page should quote: \(sentence)")
        #expect(page.contains("`\(judgement.cause.cause.rawValue)`"))
    }

    @Test func everyTermIsExplained() {
        for term in SeverityTerm.all {
            #expect(page.contains("`\(term.name)`"), "docs/verdict.md does not name \(term.name)")
        }
    }

    /// Alarm lines, the ledger's JSON and tables take names as they are.
    @Test func namesOfTermsNeedNoQuotes() {
        let allowed = Set("abcdefghijklmnopqrstuvwxyz0123456789.-")
        for term in SeverityTerm.all {
            #expect(!term.name.isEmpty && term.name.allSatisfy(allowed.contains), "\(term.name)")
        }
    }
}
