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

    func sampleFormat(samples: Int) throws(TIFFError) -> TIFFPage.SampleFormat {
        let bits = try same(.bitsPerSample, samples: samples)
        let format = try same(.sampleFormat, samples: samples)
        let number: TIFFPage.SampleFormat.Number? =
            switch (format, bits) {
            // Programs that do not know what their samples mean write 4; all else can read them as numbers.
            case (1, 2...16), (1, 32), (4, 8), (4, 16): .unsigned
            case (2, 8), (2, 16), (2, 32): .signed
            case (3, 16), (3, 32), (3, 64): .float
            default: nil
            }
        guard let number else {
            let names: [UInt64: String] = [
                1: "unsigned", 2: "signed", 3: "float", 5: "complex integer", 6: "complex",
            ]
            throw unsupported("has \(names[format] ?? "untyped") samples of \(bits) bit")
        }
        return TIFFPage.SampleFormat(number: number, bits: Int(bits), isPacked: bits % 8 != 0)
    }

    /// The value of a tag that is given once for each sample; 1, the default, where it is missing.
    private func same(_ tag: TIFFTag, samples: Int) throws(TIFFError) -> UInt64 {
        let values = try directory.numbers(tag, limit: 65_536).prefix(samples)
        guard let first = values.first else { return 1 }
        guard values.allSatisfy({ $0 == first }) else { throw unsupported("has samples of differing kinds") }
        return first
    }

    /// Grey, or colours that may be grey: how many samples of a pixel must agree, and which is black where zero is white.
    ///
    /// Transparency is not looked at.
    func colour(
        samples: Int,
        format: TIFFPage.SampleFormat,
        significantBits: Int?
    ) throws(TIFFError) -> (agreeing: Int, white: UInt32?) {
        // Without a word on it, one sample is grey and three are colours.
        switch (try directory.number(.photometric) ?? (samples < 3 ? 1 : 2), samples) {
        case (0, _):
            let white = try white(format: format, significantBits: significantBits)
            return (try agreeing(samples), white)
        case (1, _): return (try agreeing(samples), nil)
        case (2, 3...4): return (3, nil)
        case (2, _): throw unsupported("is RGB with \(samples) samples")
        case (3, 1) where format.number == .unsigned && format.bits <= 16:
            return (1, try rampIsInverted(bits: format.bits) ? (1 << format.bits) - 1 : nil)
        case (3, _): throw colourError("is coloured by a palette")
        case (5, _): throw colourError("is CMYK")
        case (6, _): throw colourError("is YCbCr colour")
        case (8...10, _): throw colourError("is Lab colour")
        case (let other, _): throw unsupported("has the photometric interpretation \(other)")
        }
    }

    /// Grey samples beside each other are grey if they agree; the last may be transparency.
    private func agreeing(_ samples: Int) throws(TIFFError) -> Int {
        guard samples > 1 else { return 1 }
        let extra = try directory.numbers(.extraSamples, limit: 65_536)
        return extra.last.map { $0 == 1 || $0 == 2 } == true ? samples - 1 : samples
    }

    /// The sample that is black where zero is white: the largest of the bits that are meant.
    private func white(format: TIFFPage.SampleFormat, significantBits: Int?) throws(TIFFError) -> UInt32 {
        guard format.number == .unsigned else {
            throw unsupported("is \(format.number) with white at zero, which has no black")
        }
        let largest = UInt32.max >> UInt32(32 - format.bits)
        guard format.bits > 8 else { return largest }
        if let bits = significantBits, bits >= 8, bits < format.bits {
            return UInt32.max >> UInt32(32 - bits)
        }
        // A camera's largest value, or the largest in this frame: the bits of a camera that hold it.
        guard let maximum = try directory.number(.maxSampleValue), maximum > 255 else { return largest }
        let bits = [10, 12, 14, 16].first { maximum < 1 << UInt64($0) } ?? format.bits
        return bits < format.bits ? UInt32.max >> UInt32(32 - bits) : largest
    }

    /// Whether a palette that is a ramp of greys falls; one that is no ramp is colour.
    private func rampIsInverted(bits: Int) throws(TIFFError) -> Bool {
        let colours = 1 << bits
        let map = try directory.numbers(.colorMap, limit: 3 << 16)
        guard map.count == 3 * colours else { throw unsupported("has a palette of \(map.count) values") }
        let greys = map[..<colours]
        guard greys.elementsEqual(map[colours..<2 * colours]), greys.elementsEqual(map[(2 * colours)...]),
            let first = greys.first, let last = greys.last, first != last
        else { throw colourError("is coloured by a palette") }
        // Within two steps of a straight line, as programs round differently.
        let (low, high) = (Double(first), Double(last))
        let step = (high - low) / Double(colours - 1)
        for (index, grey) in greys.enumerated()
        where abs(low + step * Double(index) - Double(grey)) > 2 * abs(step) {
            throw colourError("has a palette of greys that is no even ramp")
        }
        return high < low
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

    func checkPredictor(
        format: TIFFPage.SampleFormat,
        compression: TIFFCompression
    ) throws(TIFFError) {
        // Programs do not agree what a predictor means for packed samples; for others it counts with compression only.
        guard format.isPacked || [.lzw, .deflate, .oldDeflate, .zstd].contains(compression) else { return }
        let predictor = try directory.number(.predictor) ?? 1
        let isKnown =
            switch predictor {
            case 1: true
            case 2: !format.isPacked
            case 3: format.number == .float
            default: false
            }
        guard isKnown else { throw unsupported("has the predictor \(predictor)") }
    }

    func unsupported(_ what: String) -> TIFFError { file.error(.unsupported, "page \(number) \(what)") }

    func colourError(_ what: String) -> TIFFError { file.error(.colour, "page \(number) \(what)") }
}

/// Where a directory says that the strips or tiles of its page lie.
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

    /// Reads both arrays; what they say is not checked.
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
    }

    /// Checks every strip or tile against the end of the file, whatever its kind.
    func check(within file: TIFFFile) throws(TIFFError) {
        let name = areTiles ? "tile" : "strip"
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
