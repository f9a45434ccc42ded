/// A page that can be decoded: every number checked against limits, file and supported kinds.
struct TIFFPage {
    /// How the numbers of a sample are stored.
    enum SampleKind: Equatable {
        case uint8, uint16, uint32, float32, float64

        var size: Int {
            switch self {
            case .uint8: 1
            case .uint16: 2
            case .uint32, .float32: 4
            case .float64: 8
            }
        }

        var isFloat: Bool { self == .float32 || self == .float64 }
    }

    let number: Int
    let offset: UInt64
    let width: Int
    let height: Int
    let kind: SampleKind
    let samples: Int
    /// Three samples that must agree, rather than one.
    let isRGB: Bool
    let isInverted: Bool
    let compression: TIFFCompression
    let isPlanar: Bool
    let areTiles: Bool
    let chunkWidth: Int
    let chunkHeight: Int

    /// Strips or tiles beside each other.
    var across: Int { (width + chunkWidth - 1) / chunkWidth }
    /// Strips or tiles below each other.
    var down: Int { (height + chunkHeight - 1) / chunkHeight }
    /// Samples of one pixel that lie together in a strip or tile.
    var stride: Int { isPlanar ? 1 : samples }
    /// Samples in a whole strip or tile.
    var chunkSamples: Int { chunkWidth * chunkHeight * stride }

    /// Rows that a strip or tile in row `row` of the grid holds: the last strip is shorter, a tile never.
    func rows(inChunkRow row: Int) -> Int {
        areTiles ? chunkHeight : min(chunkHeight, height - row * chunkHeight)
    }

    /// Checks one page; nothing larger than the arrays of offsets is read or allocated.
    init(_ directory: TIFFDirectory, number: Int, file: TIFFFile, limits: TIFFLimits) throws(TIFFError) {
        let tags = TIFFPageTags(directory: directory, number: number, file: file)
        self.number = number
        offset = directory.offset
        compression = try tags.compression()
        (width, height) = try tags.size(limits: limits)
        samples = try tags.samples()
        kind = try tags.sampleKind(samples: samples)
        (isRGB, isInverted) = try tags.colour(samples: samples, kind: kind)
        isPlanar = try tags.isPlanar(samples: samples)
        areTiles = directory.has(.tileOffsets)
        (chunkWidth, chunkHeight) = try tags.chunkSize(width: width, height: height, limits: limits)
        try tags.checkPredictor(kind: kind, compression: compression)
        try checkMemory(file: file, limits: limits)
        try checkChunks(directory, file: file)
    }

    /// Counted in `Double`, which cannot overflow: a claim of any size is only compared.
    private func checkMemory(file: TIFFFile, limits: TIFFLimits) throws(TIFFError) {
        let pixel = Double(samples * kind.size)
        let page = Double(width) * Double(height) * pixel
        let chunk = Double(chunkWidth) * Double(chunkHeight) * pixel
        guard max(page, chunk) <= Double(limits.maximumDecodedBytes) else {
            throw file.error(
                .tooLarge,
                "page \(number) of \(width) x \(height) pixels, in pieces of \(chunkWidth) x \(chunkHeight), "
                    + "decodes to more than \(limits.maximumDecodedBytes) bytes"
            )
        }
    }

    /// Every strip or tile must lie within the file and be long enough for what it is said to hold.
    private func checkChunks(_ directory: TIFFDirectory, file: TIFFFile) throws(TIFFError) {
        var budget = TIFFChunks.Budget(file: file)
        let chunks = try TIFFChunks(directory, file: file, budget: &budget)
        let name = areTiles ? "tile" : "strip"
        let expected = across * down * (isPlanar ? samples : 1)
        guard chunks.offsets.count >= expected else {
            throw file.error(
                .damaged,
                "page \(number) has \(chunks.offsets.count) \(name)s where its size asks for \(expected)"
            )
        }
        guard !chunks.byteCounts.isEmpty || (compression == .none && expected == 1) else {
            throw file.error(.damaged, "page \(number) does not say how long its \(name)s are")
        }
        for index in 0..<expected {
            let rows = rows(inChunkRow: index / across % down)
            let decoded = UInt64(rows * chunkWidth * stride * kind.size)
            let stored = chunks.byteCounts.isEmpty ? decoded : chunks.byteCounts[index]
            guard file.holds(stored, at: chunks.offsets[index]) else {
                throw file.error(
                    .truncated,
                    "\(name) \(index) of page \(number) ends behind the end of the file"
                )
            }
            guard stored.multipliedReportingOverflow(by: compression.largestRatio).partialValue >= decoded
            else {
                throw file.error(
                    .damaged,
                    "\(name) \(index) of page \(number) cannot hold \(decoded) bytes in \(stored)"
                )
            }
        }
    }
}

/// The compressions that are read: none, or lossless ones whose output is bounded by their input.
enum TIFFCompression: UInt16 {
    case none = 1
    case lzw = 5
    case deflate = 8
    case packBits = 32773
    case oldDeflate = 32946
    case zstd = 50000

    /// Most bytes that one stored byte can decode to.
    var largestRatio: UInt64 {
        switch self {
        case .none: 1
        // The longest string of the 12-bit table, one code of 1.5 bytes each.
        case .lzw: 2_731
        // 258 bytes from a length code and a distance code of one bit each.
        case .deflate, .oldDeflate: 1_032
        // 128 bytes from a length and a value.
        case .packBits: 64
        // A repeated-byte block of 128 KiB takes four bytes.
        case .zstd: 32_768
        }
    }
}

/// Reads the tags of one page, each against the list of supported kinds.
struct TIFFPageTags {
    let directory: TIFFDirectory
    let number: Int
    let file: TIFFFile

    func compression() throws(TIFFError) -> TIFFCompression {
        let code = try directory.number(.compression) ?? 1
        guard let compression = TIFFCompression(rawValue: UInt16(clamping: code)) else {
            let names: [UInt64: String] = [
                2: "CCITT", 3: "CCITT fax", 4: "CCITT fax", 6: "JPEG", 7: "JPEG", 34712: "JPEG 2000",
                34925: "LZMA", 50001: "WebP", 50002: "JPEG XL",
            ]
            throw unsupported("is compressed with \(names[code] ?? "method \(code)")")
        }
        return compression
    }

    func size(limits: TIFFLimits) throws(TIFFError) -> (width: Int, height: Int) {
        guard let width = try directory.number(.imageWidth), let height = try directory.number(.imageLength),
            width > 0, height > 0
        else { throw file.error(.damaged, "page \(number) has no width or no height") }
        guard width <= UInt64(limits.maximumWidth), height <= UInt64(limits.maximumHeight),
            width * height <= UInt64(limits.maximumPixels)
        else {
            throw file.error(
                .tooLarge,
                "page \(number) claims \(width) x \(height) pixels, more than \(limits.maximumWidth) x "
                    + "\(limits.maximumHeight) or \(limits.maximumPixels) in all"
            )
        }
        guard try directory.number(.imageDepth) ?? 1 == 1 else { throw unsupported("is a volume") }
        return (Int(width), Int(height))
    }

    func samples() throws(TIFFError) -> Int {
        let samples = try directory.number(.samplesPerPixel) ?? 1
        guard samples >= 1, samples <= 4 else { throw unsupported("has \(samples) samples a pixel") }
        return Int(samples)
    }

    func sampleKind(samples: Int) throws(TIFFError) -> TIFFPage.SampleKind {
        let bits = try same(.bitsPerSample, samples: samples)
        let format = try same(.sampleFormat, samples: samples)
        switch (format, bits) {
        case (1, 8): return .uint8
        case (1, 16): return .uint16
        case (1, 32): return .uint32
        case (3, 32): return .float32
        case (3, 64): return .float64
        default:
            let names: [UInt64: String] = [
                1: "unsigned", 2: "signed", 3: "float", 5: "complex integer", 6: "complex",
            ]
            throw unsupported("has \(names[format] ?? "untyped") samples of \(bits) bit")
        }
    }

    /// The value of a tag that is given once for each sample; 1, the default, where it is missing.
    private func same(_ tag: TIFFTag, samples: Int) throws(TIFFError) -> UInt64 {
        let values = try directory.numbers(tag, limit: 65_536).prefix(samples)
        guard let first = values.first else { return 1 }
        guard values.allSatisfy({ $0 == first }) else { throw unsupported("has samples of differing kinds") }
        return first
    }

    /// Grey, or RGB that may be grey; a fourth sample of RGB is transparency and is not looked at.
    func colour(samples: Int, kind: TIFFPage.SampleKind) throws(TIFFError) -> (isRGB: Bool, isInverted: Bool)
    {
        switch (try directory.number(.photometric), samples) {
        case (0, 1) where kind.isFloat: throw unsupported("is float with white at zero, which has no black")
        case (0, 1): return (false, true)
        case (1, 1): return (false, false)
        case (2, 3...4): return (true, false)
        case (0, _), (1, _): throw unsupported("has \(samples) channels")
        case (2, _): throw unsupported("is RGB with \(samples) samples")
        case (3, _): throw unsupported("is coloured by a palette")
        case (5, _): throw unsupported("is CMYK")
        case (6, _): throw unsupported("is YCbCr colour")
        case (nil, _): throw unsupported("does not say whether it is grey or colour")
        case (let other?, _): throw unsupported("has the photometric interpretation \(other)")
        }
    }

    func isPlanar(samples: Int) throws(TIFFError) -> Bool {
        switch try directory.number(.planarConfiguration) ?? 1 {
        case 1: return false
        case 2: return samples > 1
        case let other: throw file.error(.damaged, "page \(number) has the planar configuration \(other)")
        }
    }

    /// Width and height of a tile, or of a strip cut to the page.
    func chunkSize(width: Int, height: Int, limits: TIFFLimits) throws(TIFFError) -> (width: Int, height: Int)
    {
        guard directory.has(.tileOffsets) else {
            let rows = try directory.number(.rowsPerStrip) ?? UInt64(height)
            guard rows > 0 else { throw file.error(.damaged, "page \(number) has strips of no rows") }
            return (width, Int(min(rows, UInt64(height))))
        }
        guard let tileWidth = try directory.number(.tileWidth),
            let tileHeight = try directory.number(.tileLength),
            tileWidth > 0, tileHeight > 0
        else { throw file.error(.damaged, "page \(number) has tiles of no size") }
        guard tileWidth <= 1 << 20, tileHeight <= 1 << 20 else {
            throw file.error(.tooLarge, "page \(number) claims tiles of \(tileWidth) x \(tileHeight) pixels")
        }
        return (Int(tileWidth), Int(tileHeight))
    }

    func checkPredictor(kind: TIFFPage.SampleKind, compression: TIFFCompression) throws(TIFFError) {
        guard [.lzw, .deflate, .oldDeflate, .zstd].contains(compression) else { return }
        let predictor = try directory.number(.predictor) ?? 1
        guard predictor == 1 || predictor == 2 || (predictor == 3 && kind.isFloat) else {
            throw unsupported("has the predictor \(predictor)")
        }
    }

    func unsupported(_ what: String) -> TIFFError { file.error(.unsupported, "page \(number) \(what)") }
}

/// Where the strips or tiles of a page lie, all of them within the file.
struct TIFFChunks {
    /// Bytes of directories and arrays that may still be read: an honest file has no more of them than bytes.
    struct Budget {
        private var left: UInt64

        init(file: TIFFFile) { left = file.size }

        mutating func spend(_ bytes: Int, file: TIFFFile) throws(TIFFError) {
            guard UInt64(bytes) <= left else { throw file.error(.damaged, "the directories overlap") }
            left -= UInt64(bytes)
        }
    }

    /// Most strips or tiles of one page.
    static let limit = 1 << 20

    let areTiles: Bool
    let offsets: [UInt64]
    /// As many as there are offsets; empty where the file leaves them out, as for one plain strip.
    let byteCounts: [UInt64]

    /// Reads both arrays and checks every strip or tile against the end of the file.
    init(_ directory: TIFFDirectory, file: TIFFFile, budget: inout Budget) throws(TIFFError) {
        areTiles = directory.has(.tileOffsets)
        let offsetTag: TIFFTag = areTiles ? .tileOffsets : .stripOffsets
        let countTag: TIFFTag = areTiles ? .tileByteCounts : .stripByteCounts
        let name = areTiles ? "tile" : "strip"
        guard directory.count(offsetTag) > 0 else {
            throw file.error(.damaged, "the page at byte \(directory.offset) has no strips and no tiles")
        }
        // A value takes a byte at least; small arrays, as most pages have, are not worth counting.
        let values = directory.count(offsetTag).addingReportingOverflow(directory.count(countTag))
            .partialValue
        if values > 8 { try budget.spend(Int(min(values, UInt64(Self.limit))), file: file) }
        offsets = try directory.numbers(offsetTag, limit: Self.limit)
        byteCounts = try directory.numbers(countTag, limit: Self.limit)
        guard byteCounts.isEmpty || byteCounts.count >= offsets.count else {
            throw file.error(
                .damaged,
                "there are \(offsets.count) \(name)s but \(byteCounts.count) byte counts"
            )
        }
        for (index, offset) in offsets.enumerated() {
            let count = byteCounts.isEmpty ? 1 : byteCounts[index]
            guard offset != 0, count != 0 else {
                throw file.error(.truncated, "\(name) \(index) has not been written yet")
            }
            guard file.holds(count, at: offset) else {
                throw file.error(
                    .truncated,
                    "\(name) \(index) ends behind the end of the file of \(file.size) bytes"
                )
            }
        }
    }
}
