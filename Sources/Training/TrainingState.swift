import Detection
import Foundation
import Networks
import Tensors

/// One point of a training's loss curve.
public struct LossRecord: Sendable, Equatable, Codable {
    /// Steps done.
    public let step: Int
    /// Mean training loss of the last steps.
    public let loss: Float
    /// Loss on held-out frames.
    public let validationLoss: Float?
}

/// Everything that a training goes on from; as a file, a safetensors checkpoint.
///
/// Metadata: `autoqc.checkpoint`, JSON of all that is not a tensor. Tensors: for each parameter `weights/NAME`,
/// `average/NAME`, `first/NAME` and `second/NAME` (moments of Adam). Random numbers need no state: a batch follows from
/// seed and step.
struct TrainingState {
    var options: Trainer.Options
    let normalisation: Normalisation
    let diffusion: PatchedDiffusion
    let frameCount: Int
    var weights: [Tensor]
    var average: MovingAverage
    var adam: Adam
    var history: [LossRecord]
    /// Losses since the last point of the history.
    var recentLosses: [Float] = []

    private static let key = "autoqc.checkpoint"

    private struct Header: Codable {
        let options: Trainer.Options
        let normalisation: Normalisation
        let diffusion: PatchedDiffusion
        let frameCount: Int
        let step: Int
        let decay: Float
        let names: [String]
        let history: [LossRecord]
        let recentLosses: [Float]
    }

    init(
        options: Trainer.Options,
        normalisation: Normalisation,
        diffusion: PatchedDiffusion,
        frameCount: Int,
        weights: [Tensor],
        average: MovingAverage,
        adam: Adam,
        history: [LossRecord]
    ) {
        (self.options, self.normalisation, self.diffusion) = (options, normalisation, diffusion)
        (self.frameCount, self.weights, self.average) = (frameCount, weights, average)
        (self.adam, self.history) = (adam, history)
    }

    /// Reads a checkpoint.
    init(path: String) throws {
        let file = try SafeTensors(path: path)
        guard let json = file.metadata[Self.key] else {
            throw DataError(
                "\(path) is not a checkpoint of a training; give the .checkpoint beside the model"
            )
        }
        let header: Header
        do { header = try JSONDecoder().decode(Header.self, from: Data(json.utf8)) } catch {
            throw DataError("\(path) has a header that this version cannot read: \(error)")
        }
        func all(_ group: String) throws(DataError) -> [Tensor] {
            var tensors: [Tensor] = []
            for name in header.names {
                guard let tensor = file.tensors["\(group)/\(name)"] else {
                    throw DataError("\(path) lacks \(group)/\(name); it is damaged, start anew")
                }
                tensors.append(tensor)
            }
            return tensors
        }
        self.init(
            options: header.options,
            normalisation: header.normalisation,
            diffusion: header.diffusion,
            frameCount: header.frameCount,
            weights: try all("weights"),
            average: MovingAverage(try all("average"), decay: header.decay, step: header.step),
            adam: Adam(step: header.step, firstMoments: try all("first"), secondMoments: try all("second")),
            history: header.history
        )
        recentLosses = header.recentLosses
    }

    func write(path: String, names: [String]) throws {
        let header = Header(
            options: options,
            normalisation: normalisation,
            diffusion: diffusion,
            frameCount: frameCount,
            step: adam.step,
            decay: average.decay,
            names: names,
            history: history,
            recentLosses: recentLosses
        )
        var tensors: [String: Tensor] = [:]
        for (index, name) in names.enumerated() {
            tensors["weights/\(name)"] = weights[index]
            tensors["average/\(name)"] = average.values[index]
            tensors["first/\(name)"] = adam.firstMoments[index]
            tensors["second/\(name)"] = adam.secondMoments[index]
        }
        let json = String(decoding: try JSONEncoder().encode(header), as: UTF8.self)
        try SafeTensors(metadata: [Self.key: json], tensors: tensors).write(path: path)
    }
}
