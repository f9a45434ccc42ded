import COneDNN

/// The numbers that convolutions multiply; their sums are always float32.
public enum Precision: String, Sendable, CaseIterable {
    /// 32 bits, on every CPU.
    case float32 = "f32"
    /// 16 bits with the range of float32, where the CPU multiplies them itself (AVX-512 BF16, AMX).
    case bfloat16 = "bf16"

    @TaskLocal static var current = Precision.float32

    /// Whether this CPU multiplies such numbers.
    public var isSupported: Bool { self == .float32 || aqc_multiplies_bfloat16() }

    /// Runs a computation; its forward convolutions outside recordings multiply such numbers.
    ///
    /// A precision that the CPU does not have is a programmer's mistake: ask `isSupported` first.
    public func run<Result>(_ body: () throws -> Result) rethrows -> Result {
        precondition(isSupported, "this CPU does not multiply \(rawValue)")
        return try Self.$current.withValue(self, operation: body)
    }
}
