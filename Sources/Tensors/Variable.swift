/// A tensor in a computation whose gradient can be asked for.
///
/// Operations on variables record how to propagate a gradient, and that rule is itself made of operations on variables,
/// so gradients of gradients need nothing more. Variables belong to one task at a time; they are not `Sendable`.
package final class Variable {
    /// The value; optimisers assign parameters a new one.
    package var value: Tensor
    /// Whether gradients flow to this variable.
    package let requiresGradient: Bool
    let operation: Operation?

    /// How a result came about: what it was made of, and how an upstream gradient reaches each of those.
    struct Operation {
        let inputs: [Variable]
        let backward: (Variable) -> [Variable?]
    }

    /// A parameter, whose gradient will be asked for.
    package init(parameter value: Tensor) {
        self.value = value
        self.requiresGradient = true
        self.operation = nil
    }

    /// A constant, through which no gradient flows.
    package init(constant value: Tensor) {
        self.value = value
        self.requiresGradient = false
        self.operation = nil
    }

    /// The result of an operation on some inputs.
    ///
    /// `backward` maps the gradient of the result to one gradient per input, `nil` where none flows; if it
    /// is made of operations on variables, it can be differentiated again.
    package init(
        value: Tensor,
        inputs: [Variable],
        backward: @escaping (_ upstream: Variable) -> [Variable?]
    ) {
        let records = Recording.isOn && inputs.contains { $0.requiresGradient }
        self.value = value
        self.requiresGradient = records
        self.operation = records ? Operation(inputs: inputs, backward: backward) : nil
    }

    /// Length of each axis.
    package var shape: [Int] { value.shape }

    /// Inside a backward rule: whether the gradient being taken needs that of this input.
    ///
    /// Rules may give `nil` where it does not; so frozen weights and the penalty on a critic's slope cost no weight
    /// gradients.
    package var wantsGradient: Bool {
        requiresGradient && Recording.wanted?.contains(ObjectIdentifier(self)) ?? true
    }
}

/// Whether operations remember how to be differentiated.
package enum Recording {
    @TaskLocal static var isOn = true
    /// While gradients are taken, the variables between the scalar and its targets.
    @TaskLocal static var wanted: Set<ObjectIdentifier>?

    /// Runs a computation that nobody will differentiate: no graph is kept and fused kernels are used.
    package static func off<Result>(_ body: () throws -> Result) rethrows -> Result {
        try $isOn.withValue(false, operation: body)
    }
}

/// Gradients of a scalar with respect to some variables, by reverse-mode differentiation.
///
/// With `differentiable: true` the gradients can themselves be differentiated. A variable that the scalar does not
/// depend on has a gradient of zeros.
package func gradients(
    of scalar: Variable,
    with targets: [Variable],
    differentiable: Bool = false
) -> [Variable] {
    precondition(scalar.value.count == 1, "gradients are of a scalar, not of shape \(scalar.shape)")
    let seed = Variable(constant: Tensor(repeating: 1, shape: scalar.shape))
    let order = reversedTopologicalOrder(from: scalar, above: [])
    return Recording.$isOn.withValue(differentiable) {
        propagated(seed, from: scalar, through: order, to: targets)
    }
}

extension Variable {
    /// The gradient that reaches each of some inputs from an upstream gradient of this result, as if those inputs did
    /// not depend on each other or on anything before them; `nil` where none flows.
    ///
    /// For the rule of a fused operation whose gradient is to be differentiated itself: it is taken through a
    /// composition of plain operations on the same inputs.
    func propagated(_ upstream: Variable, to inputs: [Variable]) -> [Variable?] {
        let order = reversedTopologicalOrder(from: self, above: Set(inputs.map { ObjectIdentifier($0) }))
        let found = Tensors.propagated(upstream, from: self, through: order, to: inputs)
        return zip(inputs, found).map { $0.requiresGradient ? $1 : nil }
    }
}

/// Takes an upstream gradient of `result` backwards through recorded variables, each before those it was made of.
private func propagated(
    _ upstream: Variable,
    from result: Variable,
    through order: [Variable],
    to targets: [Variable]
) -> [Variable] {
    var found = [ObjectIdentifier(result): upstream]
    let kept = Set(targets.filter(\.requiresGradient).map { ObjectIdentifier($0) })
    let wanted = variablesAbove(kept, in: order)
    func propagate(from variable: Variable) {
        let key = ObjectIdentifier(variable)
        guard wanted.contains(key), let operation = variable.operation, let upstream = found[key] else {
            return
        }
        if !kept.contains(key) { found[key] = nil }
        for (input, gradient) in zip(operation.inputs, operation.backward(upstream)) {
            let inputKey = ObjectIdentifier(input)
            guard wanted.contains(inputKey), let gradient else { continue }
            precondition(gradient.shape == input.shape, "gradient \(gradient.shape) of input \(input.shape)")
            found[inputKey] = found[inputKey].map { $0 + gradient } ?? gradient
        }
    }
    Recording.$wanted.withValue(wanted) { for variable in order { propagate(from: variable) } }
    return targets.map { target in
        found[ObjectIdentifier(target)] ?? Variable(constant: Tensor(repeating: 0, shape: target.shape))
    }
}

/// The targets and all that was made of them, among variables of which each comes before the ones it was made of.
private func variablesAbove(_ targets: Set<ObjectIdentifier>, in order: [Variable]) -> Set<ObjectIdentifier> {
    var found = targets
    for variable in order.reversed() where variable.requiresGradient {
        let inputs = variable.operation?.inputs ?? []
        if inputs.contains(where: { found.contains(ObjectIdentifier($0)) }) {
            found.insert(ObjectIdentifier(variable))
        }
    }
    return found
}

/// Every recorded variable that `root` was made of down to some leaves (without them), each before the ones it was made
/// of itself.
private func reversedTopologicalOrder(
    from root: Variable,
    above leaves: Set<ObjectIdentifier>
) -> [Variable] {
    var order: [Variable] = []
    var visited = leaves.union([ObjectIdentifier(root)])
    var stack: [(variable: Variable, next: Int)] = [(root, 0)]
    while let (variable, next) = stack.last {
        let inputs = variable.operation?.inputs ?? []
        guard next < inputs.count else {
            order.append(variable)
            stack.removeLast()
            continue
        }
        stack[stack.count - 1].next += 1
        let input = inputs[next]
        if input.requiresGradient, visited.insert(ObjectIdentifier(input)).inserted {
            stack.append((input, 0))
        }
    }
    return order.reversed()
}
