import Charts
import Detection
package import Diffusion
import Files
import Foundation
import Tables
import Tensors

/// The options of a training, and what the loop needs of them.
enum TrainingPlan: Sendable, Equatable {
    case realtime(Realtime)
    case reference(ReferenceTraining)

    /// Options of a `realtime` training, and what it found before the first step.
    struct Realtime: Sendable, Equatable {
        var options: Trainer.Options
        let normalisation: Normalisation
        let diffusion: PatchedDiffusion
    }

    mutating func extend(to steps: Int) {
        switch self {
        case .realtime(var plan):
            plan.options.steps = steps
            self = .realtime(plan)
        case .reference(var options):
            options.steps = steps
            self = .reference(options)
        }
    }

    var options: any StepOptions {
        switch self {
        case .realtime(let plan): plan.options
        case .reference(let options): options
        }
    }

    /// Whether the model is the average of the recent weights; it is those of the least validation loss otherwise.
    var averages: Bool {
        if case .realtime = self { true } else { false }
    }

    func learningRate(at step: Int) -> Float {
        switch self {
        case .realtime(let plan):
            LearningRateSchedule(peak: plan.options.learningRate, warmup: 100, steps: options.steps).rate(
                at: step
            )
        case .reference(let options): options.learningRate
        }
    }
}

/// What the loop needs of the options of any training.
protocol StepOptions {
    var steps: Int { get }
    var batch: Int { get }
    var seed: UInt64 { get }
    var validationInterval: Int { get }
}

struct FrameSplit {
    let training: FrameSet
    let validation: FrameSet

    /// Without a validation set every tenth frame is held out.
    init(_ frames: FrameSet, validation: FrameSet?) {
        if let validation {
            (training, self.validation) = (frames, validation)
        } else {
            (training, self.validation) = frames.split(every: 10)
        }
    }
}

/// Options of a training of the `reference` profile; the defaults are the published ones.
package struct ReferenceTraining: StepOptions, Sendable, Equatable, Codable {
    /// The method.
    package var method: Method
    /// Network, window and noise.
    package var settings: ReferenceSettings
    /// How the model compares input and reconstruction.
    package var residual = Residual.l1DSSIM
    /// Steps in all.
    package var steps: Int
    /// Crops per step.
    package var batch: Int
    /// Learning rate of Adam, the same throughout.
    package var learningRate: Float = 1e-4
    /// Seed of everything drawn at random.
    package var seed: UInt64 = 1
    /// Steps between two looks at the validation frames, of which the best one's weights are kept.
    package var validationInterval: Int

    /// Published epochs.
    package static let epochs = 300

    /// A training of so many steps, or else of so many epochs over so many frames.
    ///
    /// It looks at the validation frames after every epoch; in short trainings more often, with few frames more seldom.
    package init(
        method: Method,
        settings: ReferenceSettings,
        frames: Int,
        steps: Int? = nil,
        epochs: Int = Self.epochs,
        batch: Int = 8
    ) {
        precondition(frames > 0 && epochs > 0 && batch > 0, "\(epochs) epochs of \(frames) in \(batch)")
        let stepsPerEpoch = (frames + batch - 1) / batch
        let steps = steps ?? epochs * stepsPerEpoch
        precondition(steps > 0, "\(steps) steps")
        (self.method, self.settings, self.steps, self.batch) = (method, settings, steps, batch)
        validationInterval = min(max(stepsPerEpoch, 50), max(steps / 10, 1))
    }

    /// What cannot be trained, in words; `nil` if everything can.
    package var fault: String? {
        if let fault = settings.fault(method: method) { return "the model \(fault)" }
        guard steps > 0, (1...1024).contains(batch), validationInterval > 0 else {
            return "\(steps) steps of \(batch) crops cannot be trained"
        }
        guard learningRate > 0, learningRate.isFinite else { return "the learning rate is \(learningRate)" }
        return nil
    }
}

/// One point of a training's loss curve.
package struct LossRecord: Sendable, Equatable, Codable {
    /// Steps done.
    package let step: Int
    /// Mean training loss of the last steps.
    package let loss: Float
    /// Loss on held-out frames.
    package let validationLoss: Float?
}

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

    private static func write(_ text: String, to path: String) throws(DataError) {
        do { try OutputFile.write(text: text, to: path) } catch { throw DataError("\(error)") }
    }
}

/// Everything that a training goes on from; as a file, a safetensors checkpoint.
///
/// Metadata: `autoqc.checkpoint`, JSON of all that is not a tensor. Tensors: for each parameter `weights/NAME` and
/// `kept/NAME` (the weights of the model: an average, or those of the least validation loss), and for each one that is trained `first/NAME` and `second/NAME` (moments of Adam). Random
/// numbers need no state: a batch follows from seed and step.
struct TrainingState {
    var plan: TrainingPlan
    let frameCount: Int
    /// `FrameSet.identity`.
    let frameIdentity: String
    var weights: [Tensor]
    var kept: [Tensor]
    var adam: Adam
    var history: [LossRecord] = []
    var recentLosses: [Float] = []

    private static let key = "autoqc.checkpoint"

    private struct Header: Codable {
        let options: Trainer.Options?
        let normalisation: Normalisation?
        let diffusion: PatchedDiffusion?
        let reference: ReferenceTraining?
        let frameCount: Int
        let frameIdentity: String
        let step: Int
        let names: [String]
        let trained: [String]
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

    init(plan: TrainingPlan, frameCount: Int, frameIdentity: String, weights: [Tensor], adam: Adam) {
        (self.plan, self.frameCount, self.frameIdentity, self.adam) = (plan, frameCount, frameIdentity, adam)
        (self.weights, kept) = (weights, weights)
    }

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
            throw DataError("\(path) does not say what was trained; it is damaged, start again")
        }
        func all(_ group: String, of names: [String]) throws(DataError) -> [Tensor] {
            var tensors: [Tensor] = []
            for name in names {
                guard let tensor = file.tensors["\(group)/\(name)"] else {
                    throw DataError("\(path) lacks \(group)/\(name); it is damaged, start again")
                }
                tensors.append(tensor)
            }
            return tensors
        }
        let moments = (
            first: try all("first", of: header.trained), second: try all("second", of: header.trained)
        )
        self.init(
            plan: plan,
            frameCount: header.frameCount,
            frameIdentity: header.frameIdentity,
            weights: try all("weights", of: header.names),
            adam: Adam(step: header.step, firstMoments: moments.first, secondMoments: moments.second)
        )
        kept = try all("kept", of: header.names)
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
            tensors["kept/\(name)"] = kept[index]
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
    fileprivate var parts: (Realtime?, ReferenceTraining?) {
        switch self {
        case .realtime(let plan): (plan, nil)
        case .reference(let options): (nil, options)
        }
    }
}
