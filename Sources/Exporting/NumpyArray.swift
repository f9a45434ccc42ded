import Foundation

/// An array as a file of NumPy: NPY 1.0, little-endian float32, row-major.
///
/// The file is `\x93NUMPY`, the version 1 and 0, two bytes with the header's length, little endian, the header, and the values. The header is a Python
/// dict in ASCII with spaces and a newline behind it, so that the values begin at a multiple of 64.
enum NumpyArray {
    /// The bytes of the file.
    static func encoded(_ values: [Float], shape: [Int]) -> Data {
        let lengths = shape.map { "\($0), " }.joined()
        let dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(lengths)), }"
        let begin = 10
        let header = dict + String(repeating: " ", count: 63 - (begin + dict.utf8.count) % 64) + "\n"
        var data = Data([0x93] + "NUMPY".utf8 + [1, 0])
        data.append(UInt8(truncatingIfNeeded: header.utf8.count))
        data.append(UInt8(truncatingIfNeeded: header.utf8.count >> 8))
        data.append(Data(header.utf8))
        let words = values.map(\.bitPattern.littleEndian)
        unsafe words.withUnsafeBytes { unsafe data.append(contentsOf: $0) }
        return data
    }
}
