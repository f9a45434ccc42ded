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

/// How the numbers of a tensor are stored in a file; all of them are taken as float32.
///
/// Raw values are the safetensors names. Integers beyond 2^24 and doubles are rounded.
package enum ElementType: String, Sendable, Hashable, CaseIterable {
    /// IEEE half precision.
    case float16 = "F16"
    /// The upper half of a float32.
    case bfloat16 = "BF16"
    /// IEEE single precision.
    case float32 = "F32"
    /// IEEE double precision.
    case float64 = "F64"
    /// Signed, 1 byte.
    case int8 = "I8"
    /// Unsigned, 1 byte.
    case uint8 = "U8"
    /// Signed, 2 bytes.
    case int16 = "I16"
    /// Signed, 4 bytes.
    case int32 = "I32"
    /// Signed, 8 bytes.
    case int64 = "I64"
    /// One byte, 0 or not.
    case boolean = "BOOL"

    /// Bytes of one value.
    package var width: Int {
        switch self {
        case .int8, .uint8, .boolean: 1
        case .float16, .bfloat16, .int16: 2
        case .float32, .int32: 4
        case .float64, .int64: 8
        }
    }

    /// Every value in these bytes; a rest shorter than one value is left out.
    package func floats(in bytes: RawSpan, isBigEndian: Bool = false) -> [Float] {
        switch self {
        case .float16: words(bytes, isBigEndian) { (word: UInt16) in Float(Float16(bitPattern: word)) }
        case .bfloat16: words(bytes, isBigEndian) { (word: UInt16) in Float(bitPattern: UInt32(word) << 16) }
        case .float32: words(bytes, isBigEndian) { (word: UInt32) in Float(bitPattern: word) }
        case .float64: words(bytes, isBigEndian) { (word: UInt64) in Float(Double(bitPattern: word)) }
        case .int8: words(bytes, isBigEndian) { (word: Int8) in Float(word) }
        case .uint8: words(bytes, isBigEndian) { (word: UInt8) in Float(word) }
        case .int16: words(bytes, isBigEndian) { (word: Int16) in Float(word) }
        case .int32: words(bytes, isBigEndian) { (word: Int32) in Float(word) }
        case .int64: words(bytes, isBigEndian) { (word: Int64) in Float(word) }
        case .boolean: words(bytes, isBigEndian) { (word: UInt8) in word == 0 ? 0 : 1 }
        }
    }

    private func words<Word: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: RawSpan,
        _ isBigEndian: Bool,
        _ value: (Word) -> Float
    ) -> [Float] {
        let count = bytes.byteCount / width
        var values: [Float] = []
        values.reserveCapacity(count)
        for index in 0..<count {
            // The loop keeps every load inside the bytes.
            let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index * width, as: Word.self)
            values.append(value(isBigEndian ? Word(bigEndian: word) : Word(littleEndian: word)))
        }
        return values
    }
}
