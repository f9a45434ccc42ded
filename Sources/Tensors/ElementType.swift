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
