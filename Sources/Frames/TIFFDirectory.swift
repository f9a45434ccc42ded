/// The tags that decide how a page is read.
enum TIFFTag: UInt16 {
    case newSubfileType = 254
    case subfileType = 255
    case imageWidth = 256
    case imageLength = 257
    case bitsPerSample = 258
    case compression = 259
    case photometric = 262
    case fillOrder = 266
    case imageDescription = 270
    case stripOffsets = 273
    case samplesPerPixel = 277
    case rowsPerStrip = 278
    case stripByteCounts = 279
    case maxSampleValue = 281
    case planarConfiguration = 284
    case predictor = 317
    case colorMap = 320
    case tileWidth = 322
    case tileLength = 323
    case tileOffsets = 324
    case tileByteCounts = 325
    case subDirectories = 330
    case extraSamples = 338
    case sampleFormat = 339
    case imageDepth = 32997
    /// MetaMorph's planes: depth, date and time of each.
    case metaMorphPlanes = 33629
    /// MetaMorph's wavelengths, one for each plane.
    case metaMorphWavelengths = 33630
    /// Micro-Manager's description of the page, JSON.
    case microManager = 51123
}

/// One entry of a directory: what type of value, how many, and where in the file they begin.
struct TIFFEntry {
    let type: UInt16
    let count: UInt64
    /// Position of the first value, inside the entry itself where the values are small enough.
    let position: UInt64

    /// Bytes of one value, or `nil` for a type that the TIFF specification does not know.
    var valueSize: Int? {
        switch type {
        case 1, 2, 6, 7: 1
        case 3, 8: 2
        case 4, 9, 11, 13: 4
        case 5, 10, 12, 16, 17, 18: 8
        default: nil
        }
    }
}

/// One image file directory, read without libtiff and with nothing believed.
///
/// Classic: a 2-byte count, 12 bytes an entry (tag 2, type 2, count 4, value or offset 4), a 4-byte link to
/// the next directory. BigTIFF: 8-byte count, 20 bytes an entry (2, 2, 8, 8), an 8-byte link. Byte order as
/// in the header; a link of 0 ends the chain.
struct TIFFDirectory {
    let offset: UInt64
    let next: UInt64
    /// Bytes that the directory takes in the file.
    let length: Int
    private let entries: [UInt16: TIFFEntry]
    /// The entries as they stand in the file; small values lie in there.
    private let body: [UInt8]
    private let file: TIFFFile
    private let format: TIFFFormat

    /// Reads the directory; every entry's values must lie within the file.
    init(file: TIFFFile, format: TIFFFormat, offset: UInt64) throws(TIFFError) {
        let what = "the directory at byte \(offset)"
        let head = try file.bytes(at: offset, count: format.countSize, of: what)
        let count = format.number(head, at: 0, size: format.countSize)
        // Programs that make room first link to directories that they write later.
        guard count > 0 else { throw file.error(.truncated, "\(what) has not been written yet") }
        guard count <= 65_535 else { throw file.error(.damaged, "\(what) has \(count) entries") }
        let body = try file.bytes(
            at: offset + UInt64(format.countSize),
            count: Int(count) * format.entrySize + format.linkSize,
            of: what
        )
        var entries: [UInt16: TIFFEntry] = [:]
        for index in 0..<Int(count) {
            let start = index * format.entrySize
            let tag = UInt16(truncatingIfNeeded: format.number(body, at: start, size: 2))
            let base = offset + UInt64(format.countSize + start)
            guard let entry = try Self.entry(body, start, base: base, file: file, format: format) else {
                continue
            }
            // As in libtiff, the first of two entries for one tag counts.
            if entries[tag] == nil { entries[tag] = entry }
        }
        self.offset = offset
        self.next = format.number(body, at: Int(count) * format.entrySize, size: format.linkSize)
        self.length = head.count + body.count
        self.entries = entries
        self.body = body
        self.file = file
        self.format = format
    }

    private static func entry(
        _ body: [UInt8],
        _ start: Int,
        base: UInt64,
        file: TIFFFile,
        format: TIFFFormat
    ) throws(TIFFError) -> TIFFEntry? {
        let type = UInt16(truncatingIfNeeded: format.number(body, at: start + 2, size: 2))
        let count = format.number(body, at: start + 4, size: format.linkSize)
        let valueStart = start + 4 + format.linkSize
        let inline = TIFFEntry(type: type, count: count, position: base + 4 + UInt64(format.linkSize))
        guard let size = inline.valueSize else { return nil }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: UInt64(size))
        guard !overflow else { throw file.error(.damaged, "an entry claims \(count) values") }
        if bytes <= UInt64(format.linkSize) { return inline }
        let position = format.number(body, at: valueStart, size: format.linkSize)
        guard file.holds(bytes, at: position) else {
            throw file.error(
                .truncated,
                "an entry's \(bytes) bytes at \(position) end behind the file of \(file.size) bytes"
            )
        }
        return TIFFEntry(type: type, count: count, position: position)
    }

    func has(_ tag: TIFFTag) -> Bool { entries[tag.rawValue] != nil }

    /// How many values a tag has; 0 where it is missing.
    func count(_ tag: TIFFTag) -> UInt64 { entries[tag.rawValue]?.count ?? 0 }

    /// All values of a tag of unsigned whole numbers, at most `limit`; empty where the tag is missing.
    func numbers(_ tag: TIFFTag, limit: Int) throws(TIFFError) -> [UInt64] {
        guard let entry = entries[tag.rawValue] else { return [] }
        guard let size = entry.valueSize, [1, 3, 4, 13, 16, 18].contains(entry.type) else {
            throw file.error(.damaged, "tag \(tag.rawValue) is of type \(entry.type), not whole numbers")
        }
        guard entry.count <= UInt64(limit) else {
            throw file.error(.tooLarge, "tag \(tag.rawValue) has \(entry.count) values, more than \(limit)")
        }
        let bytes = try bytes(of: entry, count: Int(entry.count) * size, tag)
        return (0..<Int(entry.count)).map { format.number(bytes, at: $0 * size, size: size) }
    }

    /// `count` bytes of a tag's values, from its first value on.
    ///
    /// MetaMorph's tags have more bytes for a value than their type says, so the count is the caller's.
    func bytes(of tag: TIFFTag, count: Int) throws(TIFFError) -> [UInt8] {
        guard let entry = entries[tag.rawValue] else { return [] }
        return try bytes(of: entry, count: count, tag)
    }

    private func bytes(of entry: TIFFEntry, count: Int, _ tag: TIFFTag) throws(TIFFError) -> [UInt8] {
        let start = offset + UInt64(format.countSize)
        if entry.position >= start, entry.position - start < UInt64(body.count) {
            let first = Int(entry.position - start)
            if count <= body.count - first { return Array(body[first..<first + count]) }
        }
        return try file.bytes(at: entry.position, count: count, of: "tag \(tag.rawValue)")
    }

    /// Whether the page is a thumbnail, a level of a pyramid or a mask, and so no frame.
    var isNoFrame: Bool {
        // Bit 0 is reduced resolution, bit 2 a mask; the older tag says 2 for reduced resolution.
        if let kind = try? number(.newSubfileType), kind & 5 != 0 { return true }
        return (try? number(.subfileType)) == 2
    }

    /// Where the next thing behind a position begins, as far as this directory knows: itself or the values of a tag.
    func next(behind position: UInt64) -> UInt64? {
        ([offset] + entries.values.map(\.position)).filter { $0 >= position }.min()
    }

    /// The first value of a tag, or `nil` where it is missing or empty.
    func number(_ tag: TIFFTag) throws(TIFFError) -> UInt64? {
        guard let entry = entries[tag.rawValue], entry.count > 0 else { return nil }
        return try numbers(tag, limit: 65_536).first
    }

    /// The text of an ASCII tag up to its first zero byte and at most `limit` bytes, repaired as UTF-8.
    func text(_ tag: TIFFTag, limit: Int) throws(TIFFError) -> String? {
        guard let entry = entries[tag.rawValue], [1, 2, 7].contains(entry.type) else { return nil }
        let count = Int(min(entry.count, UInt64(limit)))
        let bytes = try bytes(of: entry, count: count, tag)
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}

/// Byte order and field widths of a TIFF file.
struct TIFFFormat {
    let isLittleEndian: Bool
    let isBig: Bool

    /// The order of this machine.
    static var isMachineLittleEndian: Bool { UInt16(littleEndian: 1) == 1 }

    /// Bytes of a directory's entry count.
    var countSize: Int { isBig ? 8 : 2 }
    var entrySize: Int { isBig ? 20 : 12 }
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
    let pages: [TIFFDirectory]
    /// Why the chain ends before its end, as it does while a file is written; the pages before are of use.
    let broken: TIFFError?

    /// Walks the chain; a first directory that cannot be read or too many pages are errors.
    init(file: TIFFFile, limits: TIFFLimits) throws(TIFFError) {
        let (format, first) = try Self.header(file)
        guard first != 0 else { throw file.error(.truncated, "no directory has been written yet") }
        var pages: [TIFFDirectory] = []
        var seen: Set<UInt64> = []
        var offset = first
        var broken: TIFFError?
        var budget = TIFFChunks.Budget(file: file)
        while offset != 0 {
            guard seen.insert(offset).inserted else {
                broken = file.error(.damaged, "the chain of pages runs in a circle at byte \(offset)")
                break
            }
            guard pages.count < limits.maximumPages else {
                throw file.error(.tooLarge, "there are more than \(limits.maximumPages) pages")
            }
            let page: TIFFDirectory
            do throws(TIFFError) {
                page = try TIFFDirectory(file: file, format: format, offset: offset)
            } catch {
                guard !pages.isEmpty, error.code != .cannotOpen else { throw error }
                broken = error
                break
            }
            try budget.spend(page.length, file: file)
            pages.append(page)
            offset = page.next
        }
        self.format = format
        self.pages = pages
        self.broken = broken
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
