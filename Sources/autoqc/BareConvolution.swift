import Tensors

/// A convolution alone: no bias, no sum, no activation, and nothing that runs before or after it.
struct BareConvolution {
    /// N x H x W x I.
    let images: [Int]
    /// O x KH x KW x I.
    let weights: [Int]
    let geometry: ConvolutionGeometry
    let precision: Precision

    /// Multiplications and additions of one run.
    var operations: Double {
        let length = { (axis: Int) in
            (images[axis] + 2 * geometry.padding - weights[axis]) / geometry.stride + 1
        }
        return 2 * Double(images[0] * length(1) * length(2)) * Double(weights.reduce(1, *))
    }

    /// How the figure's line calls it.
    var name: String {
        "bare \(weights[1])x\(weights[2]) \(images[1])x\(images[2])x\(images[3]) to \(weights[0])"
    }

    /// The unit of its speed: operations on bytes are not on floats.
    var unit: String { precision == .int8 ? "GOP/s" : "GFLOP/s" }

    /// Seconds of so many runs, by whoever is faster: oneDNN or, where there is one, the package's own kernel.
    func fastestSeconds(_ count: Int) -> [Double] {
        let (own, library) = (seconds(count), librarySeconds(count))
        return own.sorted()[count / 2] < library.sorted()[count / 2] ? own : library
    }

    /// Seconds of so many runs by oneDNN.
    func librarySeconds(_ count: Int) -> [Double] { Compute.withLibraryConvolutions { seconds(count) } }

    /// Seconds of so many runs, as networks run it.
    func seconds(_ count: Int) -> [Double] {
        precision == .int8 ? byteSeconds(count) : floatSeconds(count)
    }

    private func floatSeconds(_ count: Int) -> [Double] {
        let x = Variable(constant: Tensor(repeating: 0.5, shape: images))
        let w = Variable(constant: Tensor(repeating: 0.01, shape: weights))
        return precision.run {
            Recording.off {
                Measurements.seconds(count) { _ = x.convolution(weights: w, geometry: geometry) }
            }
        }
    }

    private func byteSeconds(_ count: Int) -> [Double] {
        let shape = Array(images.dropFirst())
        let scale = ByteScale(holding: -0.3...2)
        let convolution = QuantisedConvolution(
            weights: Tensor(repeating: 0.01, shape: weights),
            bias: Tensor(repeating: 0, shape: [weights[0]]),
            geometry: geometry,
            activation: .identity,
            source: (shape, scale),
            output: scale,
            addend: nil
        )
        let source = ByteImage(shape: shape, scale: scale)
        let result = ByteImage(shape: convolution.outputShape, scale: scale)
        return Measurements.seconds(count) { convolution(source, into: result) }
    }
}
