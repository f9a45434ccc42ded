import Tensors

/// Group normalisation over 32 groups with learned weights and bias.
struct GroupNormLayer {
    /// As published, whatever the width.
    static let groups = 32

    private let weights: Variable
    private let bias: Variable

    init(channels: Int) {
        precondition(channels % Self.groups == 0, "\(channels) channels do not make \(Self.groups) groups")
        weights = Variable(parameter: Tensor(repeating: 1, shape: [channels]))
        bias = Variable(parameter: Tensor(repeating: 0, shape: [channels]))
    }

    /// Normalises N x H x W x C, with SiLU and with N x 2C scales and shifts on request.
    func callAsFunction(_ x: Variable, modulation: Variable? = nil, silu: Bool) -> Variable {
        x.groupNormalised(
            GroupNormalisation(groups: Self.groups, silu: silu),
            weights: weights,
            bias: bias,
            modulation: modulation
        )
    }

    var published: [NamedParameter] {
        [NamedParameter(name: "weight", variable: weights), NamedParameter(name: "bias", variable: bias)]
    }
}
