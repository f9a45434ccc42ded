import COneDNN

/// The numbers that convolutions multiply; sums of floats are always float32, those of bytes 32-bit integers.
package enum Precision: String, Sendable, Codable, CodingKeyRepresentable, CaseIterable {
    /// 32 bits, on every CPU.
    case float32 = "f32"
    /// 16 bits with the range of float32, where the CPU multiplies them itself (AVX-512 BF16, AMX).
    case bfloat16 = "bf16"
    /// 8 bits, on every CPU; for networks that were quantised (`QuantisedConvolution`).
    case int8

    @TaskLocal private static var current = Precision.float32

    /// What plain convolutions multiply now: gradients need float32, and bytes are multiplied by convolutions of their own.
    static var ofConvolutions: Precision {
        Recording.isOn || current == .int8 ? .float32 : current
    }

    /// Whether this CPU multiplies such numbers.
    package var isSupported: Bool { self != .bfloat16 || aqc_multiplies_bfloat16() }

    /// Runs a computation; its forward convolutions outside recordings multiply such numbers.
    ///
    /// A precision that the CPU does not have is a programmer's mistake: ask `isSupported` first.
    package func run<Result>(_ body: () throws -> Result) rethrows -> Result {
        precondition(isSupported, "this CPU does not multiply \(rawValue)")
        return try Self.$current.withValue(self, operation: body)
    }
}
