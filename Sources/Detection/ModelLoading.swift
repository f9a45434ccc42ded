import Diffusion
import Networks
import Randomness
package import Tensors

extension Model {
    /// What reconstructs frames with these weights at a precision; settings that cannot be built, weights that do not fit
    /// and a precision that cannot be had are refused.
    func reconstructor(
        path: String,
        precision: Precision = .float32
    ) throws(ModelError) -> any Reconstructor {
        if let fault = description.fault {
            throw ModelError(code: .unfitSettings, path: path, detail: "\(fault); use a matching version")
        }
        try check(precision, path: path)
        switch description.profile {
        case .realtime(let settings):
            return RealtimeReconstructor(
                settings: settings,
                network: try foldedNetwork(settings, path: path),
                precision: precision,
                ranges: description.ranges ?? []
            )
        case .reference(let settings):
            // Before memory is taken for the network that the file claims to hold.
            let values = weights.values.reduce(0) { $0 + $1.count }
            guard values >= settings.network.largestWeight else {
                throw ModelError(
                    code: .unfitWeights,
                    path: path,
                    detail: "the weights do not fit: \(values) numbers are too few for the network it names"
                )
            }
            var random = ZeroGenerator()
            let built = ReferenceNetwork(settings.network, using: &random)
            try load(built.network, path: path)
            let windows = WindowReconstructor(
                method: description.method,
                settings: settings,
                noise: WindowNoise(settings),
                predict: built.reconstructed
            )
            return ReferenceReconstructor(settings: settings, windows: windows)
        }
    }

    /// The network of a `realtime` model with its timestep folded in.
    func foldedNetwork(_ settings: RealtimeSettings, path: String) throws(ModelError) -> RealtimeUNet {
        try network(settings, path: path).folded(timestep: settings.diffusion.timestep)
    }

    /// The network of a `realtime` model.
    func network(_ settings: RealtimeSettings, path: String) throws(ModelError) -> RealtimeUNet {
        var random = ZeroGenerator()
        let network = RealtimeUNet(settings.architecture, using: &random)
        try load(network, path: path)
        if let ranges = description.ranges,
            ranges.count != network.rangeCount
                || !ranges.allSatisfy({ $0.lowerBound.isFinite && $0.upperBound.isFinite })
        {
            throw ModelError(
                code: .unfitSettings,
                path: path,
                detail:
                    "holds \(ranges.count) ranges for the \(network.rangeCount) images inside its network; "
                    + "calibrate it again"
            )
        }
        return network
    }

    private func check(_ precision: Precision, path: String) throws(ModelError) {
        guard precision != .float32 else { return }
        guard precision.isSupported else {
            throw ModelError(
                code: .unfitPrecision,
                path: path,
                detail:
                    "cannot run in \(precision.rawValue): this CPU does not multiply it; leave out --precision"
            )
        }
        guard precision != .int8 || description.ranges != nil else {
            let remedy =
                description.realtime == nil
                ? "models of the reference profile run in f32" : "`autoqc calibrate` prepares it"
            throw ModelError(
                code: .unfitPrecision,
                path: path,
                detail: "cannot run in int8: it does not know the ranges inside its network; \(remedy)"
            )
        }
    }

    private func load(_ network: any Network, path: String) throws(ModelError) {
        let faults = network.load(weights)
        guard faults.isEmpty else {
            throw ModelError(
                code: .unfitWeights,
                path: path,
                detail: "the weights do not fit: \(faults.prefix(3).joined(separator: "; "))"
            )
        }
    }
}

extension Model {
    /// A model of the `reference` profile with published weights, which are named and laid out as PyTorch has them.
    ///
    /// Without a model, what does not fit, in words: every weight that is missing, unknown or of another shape.
    package static func published(
        _ weights: [String: Tensor],
        description: ModelDescription
    ) -> (model: Model?, faults: [String]) {
        guard let settings = description.reference else {
            preconditionFailure(
                "published weights are of the reference profile, not \(description.profile.name)"
            )
        }
        if let fault = description.fault { return (nil, ["the network \(fault)"]) }
        // Before memory is taken for a network that a few shapes claim.
        let values = weights.values.reduce(0) { $0 + $1.count }
        guard values >= settings.network.largestWeight else {
            return (nil, ["\(values) numbers are too few for the network that its shapes tell of"])
        }
        var random = SplitMix64(state: 0)
        let network = ReferenceNetwork(settings.network, using: &random).network
        let faults = network.load(published: weights)
        guard faults.isEmpty else { return (nil, faults) }
        let pairs = network.parameters.map { ($0.name, $0.variable.value) }
        return (Model(description: description, weights: Dictionary(uniqueKeysWithValues: pairs)), [])
    }
}
