import Foundation

/// Writes TIFF files byte by byte and without libtiff, so that the reader is tested against another hand.
struct TIFFBuilder: CustomStringConvertible {
    var width = 37
    var height = 23
    var bits = 8
    var isFloat = false
    var samples = 1
    var photometric = 1
    var isPlanar = false
    var isBigEndian = false
    var isBig = false
    /// Width and height of the tiles, or `nil` for strips of `rowsPerStrip`.
    var tile: (width: Int, height: Int)?
    var rowsPerStrip = 7
    var compression = 1
    var predictor = 1
    var pages = 1
    /// The stored value, given page, row, column and sample; whole for unsigned samples.
    var value: (Int, Int, Int, Int) -> Double = { page, row, column, _ in
        Double((page * 31 + row * 7 + column * 3) % 251)
    }
    /// Further entries, tag, type and values, that replace the usual ones; of fractions (type 5) both parts are values.
    var overrides: [UInt16: (type: Int, values: [Int])] = [:]
    /// The same for one page.
    var pageOverrides: [Int: [UInt16: (type: Int, values: [Int])]] = [:]
    /// Usual entries that are left out.
    var omitted: Set<UInt16> = []
    /// The number of values that entries claim, where it is another one.
    var counts: [UInt16: Int] = [:]
    /// Whether samples are signed.
    var isSigned = false
    /// Whether pages have pixels and no directories, but for the first.
    var isContiguous = false

    var description: String {
        "\(bits) bit\(isFloat ? " float" : "") x \(samples)\(isPlanar ? " planar" : "")"
            + "\(isBigEndian ? " big-endian" : "")\(isBig ? " BigTIFF" : "")\(tile == nil ? "" : " tiled") "
            + "compression \(compression) predictor \(predictor)"
    }

    /// The whole file.
    func bytes() -> [UInt8] {
        var file: [UInt8] = isBigEndian ? [0x4D, 0x4D] : [0x49, 0x49]
        file += number(isBig ? 43 : 42, 2)
        if isBig { file += number(8, 2) + number(0, 2) }
        var link = file.count
        file += number(0, isBig ? 8 : 4)
        for page in 0..<(isContiguous ? 1 : pages) {
            var offsets: [Int] = []
            var counts: [Int] = []
            for chunk in chunks(page: page) {
                offsets.append(file.count)
                counts.append(chunk.count)
                file += chunk
                if !isContiguous, file.count % 2 == 1 { file.append(0) }
            }
            if isContiguous {
                for page in 1..<pages { file += chunks(page: page).joined() }
                if file.count % 2 == 1 { file.append(0) }
            }
            file.replaceSubrange(link..<link + (isBig ? 8 : 4), with: number(file.count, isBig ? 8 : 4))
            link = append(entries(offsets, counts, page: page), to: &file)
        }
        return file
    }

    private func entries(_ offsets: [Int], _ counts: [Int], page: Int) -> [UInt16: (type: Int, values: [Int])]
    {
        let format = isFloat ? 3 : isSigned ? 2 : 1
        var entries: [UInt16: (type: Int, values: [Int])] = [
            256: (4, [width]), 257: (4, [height]), 258: (3, .init(repeating: bits, count: samples)),
            259: (3, [compression]), 262: (3, [photometric]), 277: (3, [samples]),
            284: (3, [isPlanar ? 2 : 1]), 317: (3, [predictor]),
            339: (3, .init(repeating: format, count: samples)),
        ]
        if let tile {
            entries[322] = (3, [tile.width])
            entries[323] = (3, [tile.height])
            entries[324] = (isBig ? 16 : 4, offsets)
            entries[325] = (4, counts)
        } else {
            entries[278] = (3, [rowsPerStrip])
            entries[273] = (isBig ? 16 : 4, offsets)
            entries[279] = (4, counts)
        }
        return entries.merging(overrides) { $1 }.merging(pageOverrides[page] ?? [:]) { $1 }
            .filter { !omitted.contains($0.key) }
    }

    /// Appends a directory and the values that do not fit into it; returns where its link lies.
    private func append(_ entries: [UInt16: (type: Int, values: [Int])], to file: inout [UInt8]) -> Int {
        let word = isBig ? 8 : 4
        let sizes = [1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 16: 8]
        var far: [UInt8] = []
        var near = number(entries.count, isBig ? 8 : 2)
        let end = file.count + near.count + entries.count * (4 + 2 * word) + word
        for (tag, entry) in entries.sorted(by: { $0.key < $1.key }) {
            let values = entry.values.flatMap { number($0, sizes[entry.type] ?? 4) }
            let count = entry.type == 5 ? entry.values.count / 2 : entry.values.count
            near += number(Int(tag), 2) + number(entry.type, 2) + number(self.counts[tag] ?? count, word)
            if values.count <= word {
                near += values + [UInt8](repeating: 0, count: word - values.count)
            } else {
                near += number(end + far.count, word)
                far += values
            }
        }
        file += near + number(0, word) + far
        return end - word
    }

    /// Strips or tiles in file order, compressed.
    private func chunks(page: Int) -> [[UInt8]] {
        let size = tile ?? (width, rowsPerStrip)
        var chunks: [[UInt8]] = []
        for plane in 0..<(isPlanar ? samples : 1) {
            for top in stride(from: 0, to: height, by: size.height) {
                for left in stride(from: 0, to: width, by: size.width) {
                    let rows = tile == nil ? min(size.height, height - top) : size.height
                    let lines = (top..<top + rows).flatMap { row in
                        line(page: page, row: row, columns: left..<left + size.width, plane: plane)
                    }
                    chunks.append(TIFFEncoders.compress(lines, method: compression))
                }
            }
        }
        return chunks
    }

    /// One row of a strip or tile, after the predictor; tiles are filled up with zeros.
    private func line(page: Int, row: Int, columns: Range<Int>, plane: Int) -> [UInt8] {
        var words: [UInt64] = []
        for column in columns {
            for sample in isPlanar ? plane..<plane + 1 : 0..<samples {
                let isInside = row < height && column < width
                words.append(isInside ? pattern(value(page, row, column, sample)) : 0)
            }
        }
        if bits % 8 != 0 { return packed(words) }
        let step = isPlanar ? 1 : samples
        let size = bits / 8
        if predictor == 3 {
            let planes = (0..<size).flatMap { byte in
                words.map { UInt8(truncatingIfNeeded: $0 >> (8 * (size - 1 - byte))) }
            }
            return planes.indices.map { $0 < step ? planes[$0] : planes[$0] &- planes[$0 - step] }
        }
        if predictor == 2 {
            words = words.indices.map { $0 < step ? words[$0] : words[$0] &- words[$0 - step] }
        }
        return words.flatMap { number(Int(truncatingIfNeeded: $0), size) }
    }

    /// Samples one behind another, the highest bit first; the row ends with a whole byte.
    private func packed(_ words: [UInt64]) -> [UInt8] {
        let all = words.flatMap { word in (0..<bits).reversed().map { UInt8(word >> UInt64($0) & 1) } }
        return stride(from: 0, to: all.count, by: 8).map { start in
            (0..<8).reduce(0) { $0 << 1 | (start + $1 < all.count ? all[start + $1] : 0) }
        }
    }

    private func pattern(_ value: Double) -> UInt64 {
        switch (isFloat, bits) {
        case (true, 16): UInt64(Float16(value).bitPattern)
        case (true, 32): UInt64(Float(value).bitPattern)
        case (false, _) where isSigned: UInt64(bitPattern: Int64(value))
        case (true, _): value.bitPattern
        default: UInt64(value)
        }
    }

    private func number(_ value: Int, _ size: Int) -> [UInt8] {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        return isBigEndian ? bytes.reversed() : bytes
    }
}

/// The least that each compression asks for: valid streams that hardly compress.
enum TIFFEncoders {
    static func compress(_ bytes: [UInt8], method: Int) -> [UInt8] {
        switch method {
        case 5: lzw(bytes)
        case 8, 32946: deflate(bytes)
        case 32773: packBits(bytes)
        case 50000: zstd(bytes)
        default: bytes
        }
    }

    private static func packBits(_ bytes: [UInt8]) -> [UInt8] {
        stride(from: 0, to: bytes.count, by: 128).flatMap { start in
            let part = bytes[start..<min(start + 128, bytes.count)]
            return [UInt8(part.count - 1)] + part
        }
    }

    /// Stored blocks between the header and the checksum of zlib.
    private static func deflate(_ bytes: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = [0x78, 0x01]
        for start in stride(from: 0, to: bytes.count, by: 65_535) {
            let part = bytes[start..<min(start + 65_535, bytes.count)]
            let length = UInt16(part.count)
            stream.append(start + 65_535 >= bytes.count ? 1 : 0)
            for half in [length, ~length] { stream += [UInt8(half & 255), UInt8(half >> 8)] }
            stream += part
        }
        var (low, high) = (UInt32(1), UInt32(0))
        for byte in bytes {
            low = (low + UInt32(byte)) % 65_521
            high = (high + low) % 65_521
        }
        return stream + [UInt8(high >> 8), UInt8(high & 255), UInt8(low >> 8), UInt8(low & 255)]
    }

    /// Codes of 9 bit, the table cleared before it asks for more.
    private static func lzw(_ bytes: [UInt8]) -> [UInt8] {
        var codes: [Int] = []
        for (index, byte) in bytes.enumerated() {
            if index % 200 == 0 { codes.append(256) }
            codes.append(Int(byte))
        }
        codes.append(257)
        var stream: [UInt8] = []
        var (pending, count) = (0, 0)
        for code in codes {
            pending = pending << 9 | code
            count += 9
            while count >= 8 {
                stream.append(UInt8(pending >> (count - 8) & 255))
                count -= 8
            }
            pending &= (1 << count) - 1
        }
        if count > 0 { stream.append(UInt8(pending << (8 - count) & 255)) }
        return stream
    }

    /// One frame of raw blocks.
    private static func zstd(_ bytes: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0xA0]
        stream += (0..<4).map { UInt8(bytes.count >> (8 * $0) & 255) }
        for start in stride(from: 0, to: bytes.count, by: 100_000) {
            let part = bytes[start..<min(start + 100_000, bytes.count)]
            let head = part.count << 3 | (start + 100_000 >= bytes.count ? 1 : 0)
            stream += (0..<3).map { UInt8(head >> (8 * $0) & 255) } + part
        }
        return stream
    }
}
