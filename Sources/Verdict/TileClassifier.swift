import CKernels
import Foundation
import Mathematics
import Plate

/// How much a tile looks like part of a known fault: a perceptron over its figures in the spread of normal tiles.
///
/// It was fitted to tiles inside and outside of faults with masks. So it tells faults from rare normal tiles, and sees faint faults
/// that are likely under the mixture of normal tiles. It may miss kinds of faults that it was not fitted to, so it counts beside the
/// mixture, not instead of it.
package struct TileClassifier: Sendable, Equatable {
    /// Figures of a tile, hidden units, and one answer.
    package let widths: [Int]
    /// Layer by layer, each outputs x inputs.
    package let weights: [[Float]]
    /// Layer by layer, one an output.
    package let biases: [[Float]]

    /// Hidden units: with half as many, hardly more faults of injected frames were found than without a classifier.
    package static let hidden = [64, 32]
    /// Figures are cut off here, in the spread of normal tiles: nothing was fitted farther out.
    package static let reach: Float = 8

    /// Wraps fitted weights; `nil` if counts do not fit or values are no numbers.
    ///
    /// `widths` are the figures of a tile, the hidden units and 1. `weights` are layer by layer, outputs x inputs, and `biases` one
    /// an output.
    package init?(widths: [Int], weights: [[Float]], biases: [[Float]]) {
        guard widths.first == TileFigures.channels, widths.last == 1, weights.count == widths.count - 1,
            zip(weights, zip(widths, widths.dropFirst())).allSatisfy({ $0.count == $1.0 * $1.1 }),
            biases.map(\.count) == Array(widths.dropFirst()),
            (weights + biases).allSatisfy({ $0.allSatisfy(\.isFinite) })
        else { return nil }
        (self.widths, self.weights, self.biases) = (widths, weights, biases)
    }

    /// The logarithm of the odds that each tile is part of a fault, from its figures in the spread of normal tiles.
    ///
    /// `points` lie channel by channel, as in `TileFigures`.
    func faultLogits(of points: [Float], count: Int) -> [Float] {
        var values = points.map { min(max($0, -Self.reach), Self.reach) }
        for (layer, (matrix, bias)) in zip(weights, biases).enumerated() {
            let (inputs, outputs) = (widths[layer], widths[layer + 1])
            let isLast = layer == weights.count - 1
            values = unsafe [Float](filling: outputs * count) { out in
                unsafe aqc_linear_layer(values, count, inputs, matrix, bias, outputs, isLast ? 0 : 1, out)
            }
        }
        return values
    }
}

extension TileClassifier: Codable {
    private enum CodingKeys: String, CodingKey { case widths, values }

    /// Reads what was stored; throws if it does not fit together.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let widths = try fields.decode([Int].self, forKey: .widths)
        var rest = [Float](packed: try fields.decode(Data.self, forKey: .values))[...]
        func next(_ count: Int) -> [Float] {
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        let fits = widths.count < 8 && widths.allSatisfy { (1...4096).contains($0) }
        let layers = fits ? Array(zip(widths, widths.dropFirst())) : []
        let values = layers.map { (next($0 * $1), next($1)) }
        guard rest.isEmpty,
            let read = TileClassifier(
                widths: widths,
                weights: values.map(\.0),
                biases: values.map(\.1)
            )
        else {
            let problem =
                "the parts of the tile classifier do not fit together; calibrate again with --causes"
            throw DecodingError.dataCorrupted(.init(codingPath: fields.codingPath, debugDescription: problem))
        }
        self = read
    }

    /// Writes it; weights and biases, layer by layer, as little-endian 32-bit floats.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(widths, forKey: .widths)
        try fields.encode(Data(zip(weights, biases).flatMap { $0 + $1 }.packed), forKey: .values)
    }
}
