import Networks
import Randomness
package import Tensors

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
