import Foundation
import Frames
import Tables

/// A training's loss over its steps, as a table and as a picture.
package struct LossCurve: Sendable {
    private let records: [LossRecord]

    /// Takes a training's history.
    package init(_ records: [LossRecord]) { self.records = records }

    /// Writes `step,loss,validation_loss`.
    package func write(csv path: String) throws {
        let rows = records.map { ["\($0.step)", "\($0.loss)", $0.validationLoss.map { "\($0)" } ?? ""] }
        let text = CSV.text([["step", "loss", "validation_loss"]] + rows)
        do {
            try Data(text.utf8).write(to: URL(filePath: path))
        } catch {
            throw DataError("\(path): cannot be written (\(error.localizedDescription))")
        }
    }

    /// Draws both losses, training blue and validation orange.
    package func write(png path: String) throws {
        let training = records.map { (x: Double($0.step), y: Double($0.loss)) }
        let validation = records.compactMap { record in
            record.validationLoss.map { (x: Double(record.step), y: Double($0)) }
        }
        let plot = LinePlot(
            title: "loss over steps",
            lines: [
                LinePlot.Line(label: "training", colour: (31, 119, 180), points: training),
                LinePlot.Line(label: "validation", colour: (255, 127, 14), points: validation),
            ]
        )
        try plot.image().write(to: path)
    }
}
