package import Tensors

/// A parameter and the name it has in a model file.
package struct NamedParameter {
    /// Dotted path from the network to the parameter, for example `down.0.first.weights`.
    package let name: String
    /// The parameter.
    package let variable: Variable
    /// How the tensor of this name in a published checkpoint becomes the parameter.
    package let layout: PublishedLayout

    init(name: String, variable: Variable, layout: PublishedLayout = .same) {
        self.name = name
        self.variable = variable
        self.layout = layout
    }

    func prefixed(_ prefix: String) -> NamedParameter {
        NamedParameter(name: "\(prefix).\(name)", variable: variable, layout: layout)
    }
}

extension [NamedParameter] {
    func prefixed(_ prefix: String) -> [NamedParameter] { map { $0.prefixed(prefix) } }
}
