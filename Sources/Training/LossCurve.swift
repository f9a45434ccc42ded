import Charts
import Foundation
import Tables

/// A training's loss over its steps, as a table and as a picture.
package struct LossCurve: Sendable {
    private let records: [LossRecord]

    /// Takes a training's history.
    package init(_ records: [LossRecord]) { self.records = records }

    /// Writes `step,loss,validation_loss`.
    package func write(csv path: String) throws {
        let rows = records.map { ["\($0.step)", "\($0.loss)", $0.validationLoss.map { "\($0)" } ?? ""] }
        try Self.write(CSV.text([["step", "loss", "validation_loss"]] + rows), to: path)
    }

    /// Writes the picture of both losses.
    package func write(svg path: String) throws { try Self.write(svg, to: path) }

    /// Both losses over the steps, on a logarithmic scale.
    package var svg: String {
        let training = records.map { (x: Double($0.step), y: Double($0.loss)) }
        let validation = records.compactMap { record in
            record.validationLoss.map { (x: Double(record.step), y: Double($0)) }
        }
        let points = training + validation
        let chart = Chart(
            x: Axis("step", fitting: points.map(\.x)),
            y: Axis("loss", fitting: points.map(\.y), scale: .logarithmic),
            curves: [
                Chart.Curve("training", style: 0, points: training),
                Chart.Curve("validation", style: 1, points: validation),
            ]
        )
        return chart.file(title: "Loss over training steps", width: 640, height: 360)
    }

    private static func write(_ text: String, to path: String) throws {
        do {
            try Data(text.utf8).write(to: URL(filePath: path))
        } catch {
            throw DataError("\(path): cannot be written (\(error.localizedDescription))")
        }
    }
}
