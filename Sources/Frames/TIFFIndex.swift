/// Byte order and field widths of a TIFF file.
struct TIFFFormat {
    let isLittleEndian: Bool
    let isBig: Bool

    /// Bytes of a directory's entry count.
    var countSize: Int { isBig ? 8 : 2 }
    /// Bytes of one entry.
    var entrySize: Int { isBig ? 20 : 12 }
    /// Bytes of an offset.
    var linkSize: Int { isBig ? 8 : 4 }

    /// The unsigned number of `size` bytes at `start`, which the caller knows to be there.
    func number(_ bytes: [UInt8], at start: Int, size: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<size {
            value = value << 8 | UInt64(bytes[start + (isLittleEndian ? size - 1 - index : index)])
        }
        return value
    }
}

/// The header of a TIFF file and the chain of its directories, one a page.
struct TIFFIndex {
    let format: TIFFFormat
    /// At least one.
    let pages: [TIFFDirectory]

    /// Walks the chain; a loop, a directory outside the file or too many pages are errors.
    init(file: TIFFFile, limits: TIFFLimits) throws(TIFFError) {
        let (format, first) = try Self.header(file)
        guard first != 0 else { throw file.error(.truncated, "no directory has been written yet") }
        var pages: [TIFFDirectory] = []
        var seen: Set<UInt64> = []
        var offset = first
        var budget = TIFFChunks.Budget(file: file)
        while offset != 0 {
            guard seen.insert(offset).inserted else {
                throw file.error(.damaged, "the chain of pages runs in a circle at byte \(offset)")
            }
            guard pages.count < limits.maximumPages else {
                throw file.error(.tooLarge, "there are more than \(limits.maximumPages) pages")
            }
            let page = try TIFFDirectory(file: file, format: format, offset: offset)
            try budget.take(page.length, file: file)
            pages.append(page)
            offset = page.next
        }
        self.format = format
        self.pages = pages
    }

    private static func header(_ file: TIFFFile) throws(TIFFError) -> (TIFFFormat, UInt64) {
        let start = try file.bytes(at: 0, count: 4, of: "the header")
        let isLittleEndian = start[0] == 0x49
        guard start[0] == start[1], isLittleEndian || start[0] == 0x4D else { throw Self.stranger(file) }
        let classic = TIFFFormat(isLittleEndian: isLittleEndian, isBig: false)
        switch classic.number(start, at: 2, size: 2) {
        case 42:
            let rest = try file.bytes(at: 4, count: 4, of: "the header")
            return (classic, classic.number(rest, at: 0, size: 4))
        case 43:
            let rest = try file.bytes(at: 4, count: 12, of: "the header")
            guard classic.number(rest, at: 0, size: 2) == 8, classic.number(rest, at: 2, size: 2) == 0 else {
                throw file.error(.damaged, "the BigTIFF header does not name offsets of 8 bytes")
            }
            let format = TIFFFormat(isLittleEndian: isLittleEndian, isBig: true)
            return (format, format.number(rest, at: 4, size: 8))
        default: throw Self.stranger(file)
        }
    }

    private static func stranger(_ file: TIFFFile) -> TIFFError {
        file.error(.notTIFF, "the file does not begin as a TIFF file does")
    }
}
