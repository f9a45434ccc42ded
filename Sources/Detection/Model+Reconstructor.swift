import Networks
import Randomness
import Tensors

extension Model {
    /// What reconstructs frames with these weights; settings that cannot be built and weights that do not fit are
    /// refused.
    func reconstructor(path: String) throws(ModelError) -> any Reconstructor {
        if let fault = description.fault {
            throw ModelError(code: .unfitSettings, path: path, detail: "\(fault); use a matching version")
        }
        var random = SplitMix64(state: 0)
        switch description.profile {
        case .realtime(let settings):
            let network = RealtimeUNet(settings.architecture, using: &random)
            try load(network, path: path)
            return RealtimeReconstructor(settings: settings, network: network)
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
            let built = ReferenceNetwork(settings.network, using: &random)
            try load(built.network, path: path)
            let windows = WindowReconstructor(
                method: description.method,
                settings: settings,
                noise: settings.noiseField(seed: settings.noiseSeed),
                predict: built.reconstructed
            )
            return ReferenceReconstructor(settings: settings, windows: windows)
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
