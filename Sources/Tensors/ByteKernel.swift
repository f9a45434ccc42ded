/// What computes a convolution of bytes.
protocol ByteKernel {
    /// Reads the whole source and writes the whole result.
    func run(_ source: UnsafePointer<UInt8>, _ output: UnsafeMutableRawPointer)
}

/// What a convolution of bytes is to do, for whoever computes it; see `QuantisedConvolution`.
struct ByteKernelDefinition {
    /// O x KH x KW x I.
    let weights: Tensor
    /// What one step of a weight's byte means, by output channel.
    let weightScales: [Float]
    let bias: Tensor
    let geometry: ConvolutionGeometry
    let activation: Activation
    /// Height, width, channels.
    let sourceShape: [Int]
    let outputShape: [Int]
    let source: ByteScale
    /// `nil` leaves float32.
    let output: ByteScale?
    /// `nil` adds nothing.
    let addend: ByteScale?
    /// Pixels per side of the cells that the channels of a float32 result are to become; 0 leaves them channels.
    let cell: Int
}
