import Foundation
import TestSupport

/// One line of the corpus index: what another reader, tifffile, made of page 0 of a file.
struct CorpusEntry {
    let path: String
    let file: String
    let type: String
    let samples: String
    let photometric: String
    let compression: String
    /// Of the values as they are stored, over all samples; `nil` where nothing was read.
    let mean: Double?

    /// Whether the reference read grey pixels of a sample type and compression that this system reads too.
    ///
    /// The index names the type after unpacking: `uint16` may be 10, 12 or 14 bit in the file.
    var isOurs: Bool {
        ["uint8", "uint16", "uint32", "int8", "int16", "int32", "float16", "float32", "float64"].contains(
            type
        ) && samples == "1"
            && ["MINISBLACK", "MINISWHITE"].contains(photometric)
            && ["NONE", "LZW", "DEFLATE", "ADOBE_DEFLATE", "PACKBITS", "ZSTD"].contains(compression)
            && mean != nil
    }

    /// The largest values that samples of so many bits may have, from which white-is-zero files are turned around.
    ///
    /// The index does not name the bits.
    var whites: [Double] {
        switch type {
        case "uint8": (2...8).map { Double(1 << $0 - 1) }
        case "uint16": (9...16).map { Double(1 << $0 - 1) }
        default: [4_294_967_295]
        }
    }

    /// Whether the reference's mean is one of grey values alone.
    var isComparable: Bool { mean != nil && samples == "1" }

    /// Reads `tiff_corpus/index.csv`.
    static func all() throws -> [CorpusEntry] {
        guard let folder = TestData.data?.appending(path: "tiff_corpus") else { return [] }
        let text = try String(contentsOf: folder.appending(path: "index.csv"), encoding: .utf8)
        return text.split(whereSeparator: \.isNewline).dropFirst().map { line in
            let fields = split(line)
            return CorpusEntry(
                path: folder.appending(path: fields[0]).path,
                file: fields[0],
                type: fields[4],
                samples: fields[5],
                photometric: fields[6],
                compression: fields[7],
                mean: Double(fields[8])
            )
        }
    }

    /// The fields of one line, those with commas in double quotes.
    private static func split(_ line: Substring) -> [String] {
        var fields = [""]
        var isQuoted = false
        for character in line {
            switch character {
            case "\"": isQuoted.toggle()
            case "," where !isQuoted: fields.append("")
            default: fields[fields.count - 1].append(character)
            }
        }
        return fields
    }
}
