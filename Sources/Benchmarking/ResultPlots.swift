import Charts
import Detection
import Evaluation
import Verdict

/// The ROC and precision-recall curves of a benchmark: two of all methods and two for each method.
///
/// The image curves pool the test frames of all folds, a frame counting as often as it is tested; pixels have
/// one faint curve a fold. The legend has the mean over folds of the area under the curve, with its spread.
struct ResultPlots {
    private let results: BenchmarkResults

    init(_ results: BenchmarkResults) { self.results = results }

    /// The plots as SVG, by the name of their file.
    var all: [(name: String, svg: String)] {
        let methods = results.methods
        let joint = Kind.allCases.map { kind in
            (
                name: kind.rawValue,
                svg: plot(
                    kind,
                    title: "\(kind.title), patch score",
                    methods.enumerated().compactMap { index, method in
                        Self.images(of: method, kind, .patch, label: method.name, style: index)
                    }
                )
            )
        }
        let single = methods.flatMap { method in
            Kind.allCases.map { kind in
                (
                    name: "\(method.name)-\(kind.rawValue)",
                    svg: plot(kind, title: "\(kind.title), \(method.name)", Self.curves(of: method, kind))
                )
            }
        }
        return joint + single
    }

    private enum Kind: String, CaseIterable {
        case roc
        case precisionRecall = "precision-recall"

        var title: String { self == .roc ? "ROC" : "Precision and recall" }
        var figure: Figure.Name { self == .roc ? .auc : .auprc }
        var figureTitle: String { self == .roc ? "AUC" : "AUPRC" }
    }

    private func plot(_ kind: Kind, title: String, _ curves: [Chart.Curve]) -> String {
        let titles = kind == .roc ? ("false alarm rate", "recall") : ("recall", "precision")
        let axes = [titles.0, titles.1].map { Axis($0, fitting: [1]) }
        return Chart(x: axes[0], y: axes[1], curves: curves, hasDiagonal: kind == .roc).file(title: title)
    }

    private static func curves(of method: MethodResult, _ kind: Kind) -> [Chart.Curve] {
        let whole = ScoreKind.allCases.enumerated().compactMap { index, score in
            images(of: method, kind, score, label: "image \(score.rawValue)", style: index)
        }
        let area = area(of: method, kind, Figure.Key(.pixel, kind.figure))
        let pixels = method.folds.filter { !$0.pixelCurve.isEmpty }.map { fold in
            Chart.Curve(
                "pixels, a line a fold: \(area)",
                style: ScoreKind.allCases.count,
                points: points(fold.pixelCurve, kind),
                isFaint: true
            )
        }
        return whole + pixels
    }

    private static func images(
        of method: MethodResult,
        _ kind: Kind,
        _ score: ScoreKind,
        label: String,
        style: Int
    ) -> Chart.Curve? {
        let frames = method.folds.flatMap(\.test)
        guard frames.contains(where: \.isFaulty) else { return nil }
        let metrics = ClassificationMetrics(
            scores: frames.map { $0.score(score) },
            faulty: frames.map(\.isFaulty)
        )
        let area = area(of: method, kind, Figure.Key(.image, kind.figure, score: score))
        return Chart.Curve("\(label): \(area)", style: style, points: points(metrics.curve, kind))
    }

    private static func area(of method: MethodResult, _ kind: Kind, _ key: Figure.Key) -> String {
        let summary = method.figures.first { $0.key == key }
        return "\(kind.figureTitle) \(ResultTables.cell(summary, digits: 3))"
    }

    private static func points(_ curve: [OperatingPoint], _ kind: Kind) -> [(x: Double, y: Double)] {
        switch kind {
        case .roc: [(0, 0)] + curve.map { ($0.falseAlarmRate, $0.recall) }
        case .precisionRecall: steps(curve)
        }
    }

    /// Average precision is the area under steps, so steps are drawn.
    private static func steps(_ curve: [OperatingPoint]) -> [(x: Double, y: Double)] {
        var points: [(x: Double, y: Double)] = []
        var recall = 0.0
        for point in curve where point.recall > recall {
            points += [(recall, point.precision), (point.recall, point.precision)]
            recall = point.recall
        }
        return points
    }
}
