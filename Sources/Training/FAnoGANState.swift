import Foundation
import Networks
import Tensors

/// Everything that a training of f-AnoGAN goes on from; as a file, a safetensors checkpoint.
///
/// Metadata: `autoqc.fanogan-checkpoint`, JSON of all that is not a tensor. Tensors: for each parameter
/// `weights/NAME`; for the encoder's also `kept/NAME`, those of the least validation loss; and `first/NAME`
/// and `second/NAME`, the moments of the Adams that the present stage needs. Random numbers need no state: a
/// batch follows from seed and step.
struct FAnoGANState {
    /// An optimiser for each network; without moments while the network is not trained.
    struct Optimisers {
        var generator: Adam
        var discriminator: Adam
        var encoder: Adam
    }

    var options: ReferenceTraining
    var adversarialSteps: Int
    let frameCount: Int
    /// `FrameSet.identity`.
    let frameIdentity: String
    var step = 0
    var weights: [String: Tensor] = [:]
    var kept: [String: Tensor] = [:]
    var optimisers: Optimisers
    var history: [LossRecord] = []
    var recentLosses: [Float] = []

    private static let key = "autoqc.fanogan-checkpoint"
    private static let betas: (Float, Float) = (0.5, 0.999)

    private static func parts(_ networks: FAnoGAN, _ optimisers: Optimisers) -> [Part] {
        [
            Part(name: "G", network: networks.generator, adam: optimisers.generator),
            Part(name: "D", network: networks.discriminator, adam: optimisers.discriminator),
            Part(name: "E", network: networks.encoder, adam: optimisers.encoder),
        ]
    }

    private struct Part {
        let name: String
        let network: any Network
        let adam: Adam
        var isAdversarial: Bool { name != "E" }
    }

    private struct Header: Codable {
        let options: ReferenceTraining
        let adversarialSteps: Int
        let frameCount: Int
        let frameIdentity: String
        let step: Int
        /// Steps of each optimiser, by network.
        let steps: [String: Int]
        /// Names of the parameters that each optimiser moves, in its order.
        let moved: [String: [String]]
        let history: [LossRecord]
        let recentLosses: [Float]

        func adam(_ network: String, file: SafeTensors, path: String) throws(DataError) -> Adam {
            let names = moved[network] ?? []
            let (first, second) = (file.group("first"), file.group("second"))
            let moments = (names.compactMap { first[$0] }, names.compactMap { second[$0] })
            guard moments.0.count == names.count, moments.1.count == names.count else {
                throw DataError("\(path) lacks moments of the network \(network); it is damaged, start again")
            }
            return Adam(
                step: steps[network] ?? 0,
                firstMoments: moments.0,
                secondMoments: moments.1,
                beta1: betas.0,
                beta2: betas.1
            )
        }
    }

    /// The published Adam for a network's parameters.
    static func adam(_ network: any Network) -> Adam {
        let shapes = network.parameters.filter(\.variable.requiresGradient).map(\.variable.shape)
        return Adam(shapes: shapes, beta1: betas.0, beta2: betas.1)
    }

    /// An Adam without moments, for a network that is not trained any more.
    static var idle: Adam { Adam(shapes: []) }

    init(_ options: ReferenceTraining, frameCount: Int, frameIdentity: String, optimisers: Optimisers) {
        (self.options, adversarialSteps) = (options, options.steps / 2)
        (self.frameCount, self.frameIdentity) = (frameCount, frameIdentity)
        self.optimisers = optimisers
    }

    /// Whether a file's first bytes are those of a checkpoint of this kind.
    static func isCheckpoint(_ path: String) -> Bool {
        guard let data = try? Data(contentsOf: URL(filePath: path), options: .mappedIfSafe) else {
            return false
        }
        // The header's keys are sorted, so the metadata come first.
        return data.prefix(1024).range(of: Data(key.utf8)) != nil
    }

    init(path: String) throws {
        let file = try SafeTensors(path: path)
        guard let json = file.metadata[Self.key] else {
            throw DataError(
                "\(path) is not a checkpoint of an f-AnoGAN; give the .checkpoint beside the model, or its method"
            )
        }
        let header: Header
        do { header = try JSONDecoder().decode(Header.self, from: Data(json.utf8)) } catch {
            throw DataError("\(path) has a header that this version cannot read: \(error)")
        }
        self.init(
            header.options,
            frameCount: header.frameCount,
            frameIdentity: header.frameIdentity,
            optimisers: Optimisers(
                generator: try header.adam("G", file: file, path: path),
                discriminator: try header.adam("D", file: file, path: path),
                encoder: try header.adam("E", file: file, path: path)
            )
        )
        (step, adversarialSteps) = (header.step, header.adversarialSteps)
        (weights, kept) = (file.group("weights"), file.group("kept"))
        (history, recentLosses) = (header.history, header.recentLosses)
    }

    /// Whether there are moments for all that is still trained, and no encoder of another size is kept.
    func fits(_ networks: FAnoGAN) -> Bool {
        let encoder = networks.encoder.parameters
        guard kept.isEmpty || encoder.allSatisfy({ kept[$0.name]?.shape == $0.variable.shape }) else {
            return false
        }
        return Self.parts(networks, optimisers).allSatisfy { part in
            let isOver = step > adversarialSteps && part.isAdversarial
            let shapes = isOver ? [] : Self.adam(part.network).firstMoments.map(\.shape)
            return part.adam.firstMoments.map(\.shape) == shapes
                && part.adam.secondMoments.map(\.shape) == shapes
        }
    }

    /// Sets another number of steps; a first stage that is not over takes half of them.
    mutating func extend(to steps: Int) {
        options.steps = steps
        if step < adversarialSteps { adversarialSteps = max(steps / 2, step) }
    }

    func write(path: String, networks: FAnoGAN) throws {
        var tensors: [String: Tensor] = [:]
        for (name, value) in weights { tensors["weights/\(name)"] = value }
        for (name, value) in kept { tensors["kept/\(name)"] = value }
        var moved: [String: [String]] = [:]
        var steps: [String: Int] = [:]
        for part in Self.parts(networks, optimisers) {
            steps[part.name] = part.adam.step
            let parameters = part.network.parameters.filter(\.variable.requiresGradient)
            // Those of a finished stage have no moments any more.
            let names = part.adam.firstMoments.isEmpty ? [] : parameters.map { "\(part.name).\($0.name)" }
            moved[part.name] = names
            for (index, name) in names.enumerated() {
                tensors["first/\(name)"] = part.adam.firstMoments[index]
                tensors["second/\(name)"] = part.adam.secondMoments[index]
            }
        }
        let header = Header(
            options: options,
            adversarialSteps: adversarialSteps,
            frameCount: frameCount,
            frameIdentity: frameIdentity,
            step: step,
            steps: steps,
            moved: moved,
            history: history,
            recentLosses: recentLosses
        )
        let json = String(decoding: try JSONEncoder().encode(header), as: UTF8.self)
        try SafeTensors(metadata: [Self.key: json], tensors: tensors).write(path: path)
    }
}

extension SafeTensors {
    /// The tensors under `NAME/`, by what follows.
    fileprivate func group(_ name: String) -> [String: Tensor] {
        let found = tensors.filter { $0.key.hasPrefix(name + "/") }
        return Dictionary(
            uniqueKeysWithValues: found.map { (String($0.key.dropFirst(name.count + 1)), $0.value) }
        )
    }
}
