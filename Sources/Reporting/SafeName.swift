/// Names of output files made from names that came from outside.
///
/// Letters, digits and `-_+=.` stay; every other byte becomes `%XX`, and so does a dot in front: no name can leave
/// its folder, hide, or carry control characters, and different names stay different. A name of more than 160
/// bytes keeps its beginning and ends in `~` and sixteen digits of a hash of the whole.
package enum SafeName {
    /// Longest result in bytes; leaves room for endings within the 255 of a file system.
    package static let longest = 160

    /// The safe form of a run's or file's name.
    package static func of(_ name: String) -> String {
        guard !name.isEmpty else { return "%" }
        var result = ""
        for (position, byte) in name.utf8.enumerated() {
            let isLeadingDot = position == 0 && byte == UInt8(ascii: ".")
            if isSafe(byte), !isLeadingDot {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        guard result.utf8.count > longest else { return result }
        return result.prefix(longest - 17) + "~" + hash(name)
    }

    /// Sixteen hexadecimal digits of FNV-1a over the bytes: the same on every machine and in every start.
    package static func hash(_ name: String) -> String {
        let value = name.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func isSafe(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-_+=.".utf8.contains(byte)
        }
    }
}
