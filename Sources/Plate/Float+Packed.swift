extension [Float] {
    /// Reads little-endian 32-bit floats; bytes that are left over are not looked at.
    package init(packed bytes: some RandomAccessCollection<UInt8>) {
        self = (0..<bytes.count / 4).map { index in
            let bits = (0..<4).reduce(UInt32(0)) { bits, place in
                bits | UInt32(bytes[bytes.index(bytes.startIndex, offsetBy: 4 * index + place)])
                    << UInt32(8 * place)
            }
            return Float(bitPattern: bits)
        }
    }

    /// Little-endian 32-bit floats.
    package var packed: [UInt8] {
        flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
    }
}
