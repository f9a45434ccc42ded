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
