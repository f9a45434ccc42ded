import Diffusion
import Foundation
import Tensors

/// One point of a training's loss curve.
package struct LossRecord: Sendable, Equatable, Codable {
    /// Steps done.
    package let step: Int
    /// Mean training loss of the last steps.
    package let loss: Float
    /// Loss on held-out frames.
    package let validationLoss: Float?

    /// Gathers a point.
    package init(step: Int, loss: Float, validationLoss: Float?) {
        self.step = step
        self.loss = loss
        self.validationLoss = validationLoss
    }
}

/// Everything that a training goes on from; as a file, a safetensors checkpoint.
///
/// Metadata: `autoqc.checkpoint`, JSON of all that is not a tensor. Tensors: for each parameter `weights/NAME` and
/// `kept/NAME` (the weights of the model: an average, or those of the least validation loss; `average/NAME` in files of
/// the `realtime` profile), and for each one that is trained `first/NAME` and `second/NAME` (moments of Adam). Random
/// numbers need no state: a batch follows from seed and step.
struct TrainingState {
    var plan: TrainingPlan
    let frameCount: Int
    /// `FrameSet.identity`; absent from checkpoints of earlier versions.
    var frameIdentity: String?
    var weights: [Tensor]
    var kept: [Tensor]
    var adam: Adam
    var history: [LossRecord] = []
    /// Losses since the last point of the history.
    var recentLosses: [Float] = []

    private static let key = "autoqc.checkpoint"

    private struct Header: Codable {
        let options: Trainer.Options?
        let normalisation: Normalisation?
        let diffusion: PatchedDiffusion?
        let reference: ReferenceTraining?
        let frameCount: Int
        let frameIdentity: String?
        let step: Int
        let names: [String]
        /// Names of the trained parameters; all of them in files that do not say.
        let trained: [String]?
        let history: [LossRecord]
        let recentLosses: [Float]

        var plan: TrainingPlan? {
            if let reference { return .reference(reference) }
            guard let options, let normalisation, let diffusion else { return nil }
            return .realtime(
                TrainingPlan.Realtime(options: options, normalisation: normalisation, diffusion: diffusion)
            )
        }
    }

    init(plan: TrainingPlan, frameCount: Int, weights: [Tensor], adam: Adam) {
        (self.plan, self.frameCount, self.adam) = (plan, frameCount, adam)
        (self.weights, kept) = (weights, weights)
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
        guard let plan = header.plan else {
            throw DataError("\(path) does not say what was trained; it is damaged, start anew")
        }
        func all(_ group: String, of names: [String]) throws(DataError) -> [Tensor] {
            var tensors: [Tensor] = []
            for name in names {
                guard let tensor = file.tensors["\(group)/\(name)"] else {
                    throw DataError("\(path) lacks \(group)/\(name); it is damaged, start anew")
                }
                tensors.append(tensor)
            }
            return tensors
        }
        let trained = header.trained ?? header.names
        let moments = (first: try all("first", of: trained), second: try all("second", of: trained))
        self.init(
            plan: plan,
            frameCount: header.frameCount,
            weights: try all("weights", of: header.names),
            adam: Adam(step: header.step, firstMoments: moments.first, secondMoments: moments.second)
        )
        kept = try all(plan.keptGroup, of: header.names)
        frameIdentity = header.frameIdentity
        (history, recentLosses) = (header.history, header.recentLosses)
    }

    /// Writes a checkpoint; `trained` names the parameters that Adam moves, in its order.
    func write(path: String, names: [String], trained: [String]) throws {
        let (realtime, reference) = plan.parts
        let header = Header(
            options: realtime?.options,
            normalisation: realtime?.normalisation,
            diffusion: realtime?.diffusion,
            reference: reference,
            frameCount: frameCount,
            frameIdentity: frameIdentity,
            step: adam.step,
            names: names,
            trained: trained,
            history: history,
            recentLosses: recentLosses
        )
        var tensors: [String: Tensor] = [:]
        for (index, name) in names.enumerated() {
            tensors["weights/\(name)"] = weights[index]
            tensors["\(plan.keptGroup)/\(name)"] = kept[index]
        }
        for (index, name) in trained.enumerated() {
            tensors["first/\(name)"] = adam.firstMoments[index]
            tensors["second/\(name)"] = adam.secondMoments[index]
        }
        let json = String(decoding: try JSONEncoder().encode(header), as: UTF8.self)
        try SafeTensors(metadata: [Self.key: json], tensors: tensors).write(path: path)
    }
}

extension TrainingPlan {
    fileprivate var keptGroup: String { averages ? "average" : "kept" }

    fileprivate var parts: (Realtime?, ReferenceTraining?) {
        switch self {
        case .realtime(let plan): (plan, nil)
        case .reference(let options): (nil, options)
        }
    }
}
