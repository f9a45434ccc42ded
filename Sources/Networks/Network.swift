public import Tensors

/// A network whose weights have names: what training, model files and imports need of it.
public protocol Network: AnyObject {
    /// All weights and running statistics, in a fixed order; those without gradient are not trained.
    var parameters: [NamedParameter] { get }
}

extension Network {
    /// Takes weights by name; returns what does not fit, in words, and takes none unless everything fits.
    public func load(_ weights: [String: Tensor]) -> [String] {
        let parameters = parameters
        var faults = parameters.compactMap { parameter -> String? in
            guard let found = weights[parameter.name] else { return "\(parameter.name) is missing" }
            guard found.shape != parameter.variable.shape else { return nil }
            return "\(parameter.name) has shape \(found.shape) instead of \(parameter.variable.shape)"
        }
        let known = Set(parameters.map(\.name))
        faults += weights.keys.filter { !known.contains($0) }.sorted().map {
            "\($0) is not part of the network"
        }
        guard faults.isEmpty else { return faults }
        for parameter in parameters {
            if let value = weights[parameter.name] { parameter.variable.value = value }
        }
        return []
    }
}
