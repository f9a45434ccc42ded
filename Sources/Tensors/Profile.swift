import Synchronization

/// What kernels were run in a computation, how much they had to do and how long they took.
public struct Profile: Sendable {
    /// What a kernel does.
    public enum Kind: Hashable, Sendable {
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
    public struct Entry: Sendable {
        /// What it did.
        public let kind: Kind
        /// Multiplications and additions of convolutions and products, from their shapes; elsewhere 0.
        public let operations: Double
        /// How long it took.
        public let seconds: Double
    }

    /// The kernels in the order they ran.
    public let entries: [Entry]

    @TaskLocal private static var recorder: Recorder?

    private final class Recorder: Sendable {
        let entries = Mutex<[Entry]>([])
    }

    /// Runs a computation and notes its kernels.
    public static func of<Result>(_ body: () throws -> Result) rethrows -> (result: Result, profile: Profile)
    {
        let recorder = Recorder()
        let result = try $recorder.withValue(recorder, operation: body)
        return (result, Profile(entries: recorder.entries.withLock { $0 }))
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
    public func operations(where matches: (Kind) -> Bool = { _ in true }) -> Double {
        entries.reduce(0) { $0 + (matches($1.kind) ? $1.operations : 0) }
    }

    /// Seconds in all kernels of some kind.
    public func seconds(where matches: (Kind) -> Bool = { _ in true }) -> Double {
        entries.reduce(0) { $0 + (matches($1.kind) ? $1.seconds : 0) }
    }
}

extension Profile.Kind {
    /// Whether it is a convolution.
    public var isConvolution: Bool {
        if case .convolution = self { true } else { false }
    }
}
