import COneDNN

/// What follows a convolution in the same kernel.
package enum Activation: Hashable, Sendable {
    /// Nothing.
    case identity
    /// `x * sigmoid(x)`.
    case silu
}

/// How a convolution moves over its image.
package struct ConvolutionGeometry: Hashable, Sendable {
    /// Pixels between two positions, the same along both axes.
    package let stride: Int
    /// Zeros around the image, the same on all sides.
    package let padding: Int

    /// Stride and padding in pixels.
    package init(stride: Int, padding: Int) {
        precondition(stride > 0 && padding >= 0, "stride \(stride), padding \(padding)")
        self.stride = stride
        self.padding = padding
    }

    func outputLength(_ length: Int, kernel: Int) -> Int {
        (length + 2 * padding - kernel) / stride + 1
    }
}

extension Variable {
    /// 2-D cross-correlation: images N x H x W x I, weights O x KH x KW x I, bias O, to N x H' x W' x O; then an
    /// addend of the output's shape is added and the activation applied.
    ///
    /// Nothing is recorded: one fused kernel. Otherwise the same in steps that can be differentiated.
    package func convolution(
        weights: Variable,
        bias: Variable? = nil,
        geometry: ConvolutionGeometry,
        adding addend: Variable? = nil,
        activation: Activation = .identity
    ) -> Variable {
        let inputs = [self, weights, bias, addend].compactMap { $0 }
        guard Recording.isOn, inputs.contains(where: { $0.requiresGradient }) else {
            return Variable(
                constant: value.convolution(
                    weights: weights.value,
                    bias: bias?.value,
                    geometry: geometry,
                    adding: addend?.value,
                    activation: activation
                )
            )
        }
        let result = plainConvolution(weights: weights, bias: bias, geometry: geometry, adding: addend)
        return activation == .silu ? result.silu() : result
    }

    private func plainConvolution(
        weights: Variable,
        bias: Variable?,
        geometry: ConvolutionGeometry,
        adding addend: Variable? = nil
    ) -> Variable {
        let result = value.convolution(
            weights: weights.value,
            bias: bias?.value,
            geometry: geometry,
            adding: addend?.value,
            activation: .identity
        )
        let inputs = [self, weights, bias, addend].compactMap { $0 }
        return Variable(value: result, inputs: inputs) { [self] upstream in
            let data =
                wantsGradient
                ? upstream.convolutionDataGradient(weights: weights, size: shape, geometry: geometry) : nil
            let weight =
                weights.wantsGradient
                ? convolutionWeightGradient(upstream: upstream, kernel: weights.shape, geometry: geometry)
                : nil
            let ofAddend = addend.map { _ in [upstream] } ?? []
            guard let bias else { return [data, weight] + ofAddend }
            let shift =
                bias.wantsGradient ? upstream.sumOverPixels().sumOverRows().reshaped(bias.shape) : nil
            return [data, weight, shift] + ofAddend
        }
    }

    /// The gradient of a convolution's input from that of its output (`self`); a transposed convolution.
    func convolutionDataGradient(
        weights: Variable,
        size: [Int],
        geometry: ConvolutionGeometry
    ) -> Variable {
        let result = Tensor(uninitialized: size)
        if let kernel = WinogradConvolution(images: size, weights: weights.shape, geometry) {
            kernel.runDataGradient(upstream: value, weights: weights.value, into: result)
        } else {
            ConvolutionPlan.run(
                .dataGradient,
                source: result,
                weights: weights.value,
                destination: value,
                geometry: geometry
            )
        }
        return Variable(value: result, inputs: [self, weights]) { second in
            let upstream =
                self.wantsGradient
                ? second.plainConvolution(weights: weights, bias: nil, geometry: geometry) : nil
            let weight =
                weights.wantsGradient
                ? second.convolutionWeightGradient(upstream: self, kernel: weights.shape, geometry: geometry)
                : nil
            return [upstream, weight]
        }
    }

    /// The gradient of a convolution's weights from its input (`self`) and the gradient of its output.
    func convolutionWeightGradient(
        upstream: Variable,
        kernel: [Int],
        geometry: ConvolutionGeometry
    ) -> Variable {
        let result = Tensor(uninitialized: kernel)
        if let winograd = WinogradConvolution(images: shape, weights: kernel, geometry) {
            winograd.runWeightGradient(images: value, upstream: upstream.value, into: result)
        } else {
            ConvolutionPlan.run(
                .weightGradient,
                source: value,
                weights: result,
                destination: upstream.value,
                geometry: geometry
            )
        }
        return Variable(value: result, inputs: [self, upstream]) { [self] second in
            let data =
                wantsGradient
                ? upstream.convolutionDataGradient(weights: second, size: shape, geometry: geometry) : nil
            let output =
                upstream.wantsGradient
                ? plainConvolution(weights: second, bias: nil, geometry: geometry) : nil
            return [data, output]
        }
    }
}

extension Tensor {
    /// The fused forward convolution on plain tensors; see `Variable.convolution`.
    func convolution(
        weights: Tensor,
        bias: Tensor?,
        geometry: ConvolutionGeometry,
        adding addend: Tensor?,
        activation: Activation
    ) -> Tensor {
        precondition(
            shape.count == 4 && weights.shape.count == 4 && shape[3] == weights.shape[3],
            "images \(shape) do not fit weights \(weights.shape)"
        )
        let direct = directConvolution(
            weights: weights,
            bias: bias,
            geometry: geometry,
            adding: addend,
            activation: activation
        )
        if let direct { return direct }
        let size = [
            shape[0], geometry.outputLength(shape[1], kernel: weights.shape[1]),
            geometry.outputLength(shape[2], kernel: weights.shape[2]), weights.shape[0],
        ]
        precondition(addend.map { $0.shape == size } ?? true, "an addend that does not fit \(size)")
        let result = Tensor(uninitialized: size)
        let kind = KernelTimes.Kind.convolution(
            images: shape,
            weights: weights.shape,
            geometry,
            Precision.ofConvolutions
        )
        // Each value of the result takes as many multiplications and additions as a filter has weights.
        let operations = 2 * Double(result.count) * Double(weights.count / weights.shape[0])
        KernelTimes.measure(kind, operations: operations) {
            if activation == .identity,
                let kernel = WinogradConvolution(images: shape, weights: weights.shape, geometry)
            {
                kernel.run(images: self, weights: weights, bias: bias, addend: addend, into: result)
                return
            }
            ConvolutionPlan.run(
                .forward(hasBias: bias != nil, activation: activation, accumulates: addend != nil),
                source: self,
                weights: weights,
                destination: result,
                bias: bias,
                addend: addend,
                geometry: geometry
            )
        }
        return result
    }
}
