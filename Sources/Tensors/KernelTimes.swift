import Synchronization

/// The kernels that a computation ran, with their operations and their times.
package struct KernelTimes: Sendable {
    /// What a kernel does.
    package enum Kind: Hashable, Sendable {
        /// A forward convolution: images N x H x W x I, weights O x KH x KW x I.
        case convolution(images: [Int], weights: [Int], ConvolutionGeometry, Precision)
        /// A matrix product.
        case product
        /// Group normalisation, with the SiLU that follows.
        case groupNorm
        /// Self-attention between its linear layers.
        case attention
    }

    /// One kernel's run.
    package struct Entry: Sendable {
        /// What it did.
        package let kind: Kind
        /// Multiplications and additions of convolutions and products, from their shapes; elsewhere 0.
        package let operations: Double
        /// How long it took.
        package let seconds: Double
    }

    /// The kernels in the order they ran.
    package let entries: [Entry]

    @TaskLocal private static var recorder: Recorder?

    private final class Recorder: Sendable {
        let entries = Mutex<[Entry]>([])
    }

    /// Runs a computation and notes its kernels.
    package static func of<Result>(_ body: () throws -> Result) rethrows -> (
        result: Result, times: KernelTimes
    ) {
        let recorder = Recorder()
        let result = try $recorder.withValue(recorder, operation: body)
        return (result, KernelTimes(entries: recorder.entries.withLock { $0 }))
    }

    /// Runs a kernel, and notes it if someone asked.
    static func measure<Result>(
        _ kind: @autoclosure () -> Kind,
        operations: @autoclosure () -> Double = 0,
        _ kernel: () -> Result
    ) -> Result {
        guard let recorder else { return kernel() }
        let start = ContinuousClock.now
        let result = kernel()
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let entry = Entry(kind: kind(), operations: operations(), seconds: seconds)
        recorder.entries.withLock { $0.append(entry) }
        return result
    }

    /// Multiplications and additions of all kernels of some kind.
    package func operations(where matches: (Kind) -> Bool = { _ in true }) -> Double {
        entries.reduce(0) { $0 + (matches($1.kind) ? $1.operations : 0) }
    }

    /// Seconds in all kernels of some kind.
    package func seconds(where matches: (Kind) -> Bool = { _ in true }) -> Double {
        entries.reduce(0) { $0 + (matches($1.kind) ? $1.seconds : 0) }
    }
}

extension KernelTimes.Kind {
    /// Whether it is a convolution.
    package var isConvolution: Bool {
        if case .convolution = self { true } else { false }
    }
}
