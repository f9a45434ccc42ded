import Networks
import Randomness

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
        case .reference:
            throw ModelError(code: .unfitSettings, path: path, detail: "is not yet understood")
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
