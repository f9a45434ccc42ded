package import Tensors

/// A network whose weights have names: what training, model files and imports need of it.
package protocol Network: AnyObject {
    /// All weights and running statistics, in a fixed order; those without gradient are not trained.
    var parameters: [NamedParameter] { get }
}

extension Network {
    /// Takes weights by name; returns what does not fit, in words, and takes none unless everything fits.
    package func load(_ weights: [String: Tensor]) -> [String] {
        let parameters = parameters
        let faults = parameters.faults(in: weights) { $0.variable.shape }
        guard faults.isEmpty else { return faults }
        for parameter in parameters {
            if let value = weights[parameter.name] { parameter.variable.value = value }
        }
        return []
    }
}
