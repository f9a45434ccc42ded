import Foundation
import Tables
import Verdict

/// The tables of a benchmark: one row a number, and methods beside each other.
struct ResultTables {
    private let results: BenchmarkResults

    init(_ results: BenchmarkResults) { self.results = results }

    /// One row a number: `method,fold,level,score,fault,figure,value`, `fold` being a number, `mean` or
    /// `spread`.
    ///
    /// A value that is not defined is empty.
    var csv: String {
        var rows = [["method", "fold", "level", "score", "fault", "figure", "value"]]
        for method in results.methods {
            let row = { (fold: String, key: Figure.Key, value: Double?) in
                rows.append([
                    method.name, fold, key.level.rawValue, key.score?.rawValue ?? "", key.fault ?? "",
                    key.name.rawValue, value.map { "\($0)" } ?? "",
                ])
            }
            for fold in method.folds {
                for figure in fold.figures { row("\(fold.number)", figure.key, figure.value) }
            }
            for summary in method.figures {
                row("mean", summary.key, summary.mean)
                row("spread", summary.key, summary.spread)
            }
        }
        return CSV.text(rows)
    }

    /// Methods as rows and figures as columns, mean and spread over the folds.
    var markdown: String {
        var parts = [
            "# Benchmark\n", introduction, "## Whole frames\n", imageTable,
            "## Pixels of each faulty frame alone: the published figures\n", frameTable,
            "## Pixels of all frames together\n", pixelTable,
        ]
        if !faults.isEmpty { parts += ["## By class of fault\n"] + faultTables }
        parts += ["## Methods\n", methodTable]
        if !results.leftOut.isEmpty {
            parts += ["## Left out\n", results.leftOut.map { "- \($0)\n" }.joined()]
        }
        return parts.joined(separator: "\n")
    }

    private var introduction: String {
        let folds = results.methods.map(\.folds.count).max() ?? 0
        return """
            Frames of `\(results.data)`, lists of `\(results.splits)`, \(folds) folds: mean ± standard \
            deviation over the folds. Thresholds come from each fold's validation list, figures from its \
            test list. max, mean, patch: the three image scores. The published pixel figures are those of each faulty frame \
            alone, averaged over the frames; figures of all pixels together are other quantities. A dash is a number that is \
            not defined; a method without maps has no pixel figures.

            """
    }

    private var imageTable: String {
        let names: [(Figure.Name, String)] = [(.accuracy, "ACC"), (.auc, "AUC"), (.auprc, "AUPRC")]
        let columns = names.flatMap { name, title in
            ScoreKind.allCases.map { (Figure.Key(.image, name, score: $0), "\(title) \($0.rawValue)") }
        }
        return table(columns.map { ($0.1, $0.0, 3) })
    }

    private var frameTable: String {
        let names: [(Figure.Name, String, Int)] = [
            (.auprc, "AUPRC", 3), (.auc, "AUC", 3), (.dice, "Dice", 3), (.bestDice, "best Dice", 3),
            (.hausdorff, "Hausdorff between masks (px)", 1),
            (.hausdorffDefined, "share of faulty frames with a distance", 2),
        ]
        return table(names.map { ($0.1, Figure.Key(.frame, $0.0), $0.2) })
    }

    private var pixelTable: String {
        let names: [(Figure.Name, String, Int)] = [
            (.auprc, "AUPRC", 3), (.auc, "AUC", 3), (.dice, "Dice", 3),
            (.diceUnfiltered, "Dice with small components", 3),
            (.bestDice, "best Dice", 3), (.hausdorff, "Hausdorff between outlines (px)", 1),
        ]
        return table(names.map { ($0.1, Figure.Key(.pixel, $0.0), $0.2) })
    }

    private func table(_ columns: [(title: String, key: Figure.Key, digits: Int)]) -> String {
        let rows = results.methods.map { method in
            [method.name]
                + columns.map { column in
                    Self.cell(method.figures.first { $0.key == column.key }, digits: column.digits)
                }
        }
        return Self.table(header: ["method"] + columns.map(\.title), rows: rows)
    }

    private var faults: [String] {
        Set(results.methods.flatMap(\.figures).compactMap(\.key.fault)).sorted()
    }

    private var faultTables: [String] {
        let patch = ScoreKind.patch
        let figures: [(String, (String) -> Figure.Key)] = [
            ("AUC against normal frames, patch score", { .init(.image, .auc, score: patch, fault: $0) }),
            (
                "Share of frames detected, patch score",
                { .init(.image, .detectionRate, score: patch, fault: $0) }
            ),
            (
                "AUPRC of the pixels of each frame alone, mean over the class",
                { .init(.frame, .auprc, fault: $0) }
            ),
            ("Dice of each frame alone, mean over the class", { .init(.frame, .dice, fault: $0) }),
            ("AUPRC of the pixels of the class's frames together", { .init(.pixel, .auprc, fault: $0) }),
            ("Dice of the pixels of the class's frames together", { .init(.pixel, .dice, fault: $0) }),
        ]
        return figures.map { title, key in "\(title):\n\n" + table(faults.map { ($0, key($0), 3) }) }
    }

    private var methodTable: String {
        let rows = results.methods.map { method in
            [
                method.name, method.summary, method.passesPerFrame > 0 ? "\(method.passesPerFrame)" : "none",
                method.framesPerSecond.map { $0.digits($0 < 1 ? 4 : 1) } ?? "-",
            ]
        }
        return Self.table(header: ["method", "what", "passes a frame", "frames/s"], rows: rows)
    }

    /// Mean and spread, or a dash.
    static func cell(_ summary: FigureSummary?, digits: Int) -> String {
        guard let mean = summary?.mean else { return "-" }
        return mean.digits(digits) + (summary?.spread.map { " ± \($0.digits(digits))" } ?? "")
    }

    private static func table(header: [String], rows: [[String]]) -> String {
        let line = { (cells: [String]) in
            "| " + cells.map { $0.replacingOccurrences(of: "|", with: "\\|") }.joined(separator: " | ")
                + " |\n"
        }
        return line(header) + line(header.map { _ in "---" }) + rows.map(line).joined()
    }
}
