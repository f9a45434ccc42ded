/// A page that can be decoded: every number checked against limits, file and supported kinds.
struct TIFFPage {
    /// How the numbers of a sample are stored.
    struct SampleFormat: Equatable {
        enum Number { case unsigned, signed, float }

        let number: Number
        /// Bits of a sample, as the file says.
        let bits: Int
        /// Whether bits that are no whole bytes lie one behind another, rather than in words of two bytes.
        let isPacked: Bool

        /// Bytes of one sample in memory.
        var size: Int { bits <= 8 ? 1 : bits <= 16 ? 2 : bits / 8 }

        /// Bytes of a row of so many samples in the file.
        func rowBytes(samples: Int) -> Int { isPacked ? (samples * bits + 7) / 8 : samples * size }
    }

    let number: Int
    let offset: UInt64
    let width: Int
    let height: Int
    let format: SampleFormat
    let samples: Int
    /// Samples of a pixel that must agree for it to be grey; 1 where the others are not looked at.
    let agreeing: Int
    /// Whether the samples are colours.
    let isRGB: Bool
    /// The sample that is black, where zero is white.
    let white: UInt32?
    let compression: TIFFCompression
    let isPlanar: Bool
    let areTiles: Bool
    let chunkWidth: Int
    let chunkHeight: Int
    /// Whether the lowest bit of a byte comes first.
    let isBitReversed: Bool
    /// Where the strips or tiles begin.
    let offsets: [UInt64]
    /// Bytes of compressed data in each; empty where nothing is compressed.
    let byteCounts: [UInt64]

    /// Strips or tiles beside each other.
    var across: Int { (width + chunkWidth - 1) / chunkWidth }
    /// Strips or tiles below each other.
    var down: Int { (height + chunkHeight - 1) / chunkHeight }
    /// Strips or tiles in all.
    var chunks: Int { across * down * (isPlanar ? samples : 1) }
    /// Samples of one pixel that lie together in a strip or tile.
    var stride: Int { isPlanar ? 1 : samples }
    /// Samples in a whole strip or tile.
    var chunkSamples: Int { chunkWidth * chunkHeight * stride }
    /// Bytes of a row of a strip or tile, once it is decompressed.
    var rowBytes: Int { format.rowBytes(samples: chunkWidth * stride) }

    /// Rows that a strip or tile in row `row` of the grid holds: the last strip is shorter, a tile never.
    func rows(inChunkRow row: Int) -> Int {
        areTiles ? chunkHeight : min(chunkHeight, height - row * chunkHeight)
    }

    /// Bytes of a strip or tile, once it is decompressed.
    func decodedBytes(ofChunk index: Int) -> Int { rows(inChunkRow: index / across % down) * rowBytes }

    /// Bytes of a strip or tile in the file.
    func storedBytes(ofChunk index: Int) -> Int {
        // The sum over a page stays far below the largest number, whatever overlaps.
        compression == .none ? decodedBytes(ofChunk: index) : Int(min(byteCounts[index], 1 << 40))
    }

    /// Checks one page; nothing larger than the arrays of offsets is read or allocated.
    ///
    /// `shift` is how far its pixels lie behind those that the directory names, for planes without one of their own.
    /// `significantBits` are what other metadata say of the samples.
    init(
        _ directory: TIFFDirectory,
        number: Int,
        shift: UInt64 = 0,
        significantBits: Int? = nil,
        file: TIFFFile,
        limits: TIFFLimits
    ) throws(TIFFError) {
        let tags = TIFFPageTags(directory: directory, number: number, file: file)
        self.number = number
        offset = directory.offset
        compression = try tags.compression()
        (width, height) = try tags.size(limits: limits)
        samples = try tags.samples()
        let stated = try tags.sampleFormat(samples: samples)
        (agreeing, white) = try tags.colour(
            samples: samples,
            format: stated,
            significantBits: significantBits
        )
        isRGB = try directory.number(.photometric).map { $0 == 2 } ?? (agreeing > 1)
        isPlanar = try tags.isPlanar(samples: samples)
        areTiles = directory.has(.tileOffsets)
        (chunkWidth, chunkHeight) = try tags.chunkSize(width: width, height: height, limits: limits)
        try tags.checkPredictor(format: stated, compression: compression)
        isBitReversed = try directory.number(.fillOrder) == 2
        var budget = TIFFChunks.Budget(file: file)
        let found = try TIFFChunks(directory, file: file, budget: &budget)
        // Some programs say 12 bits and write words of 16.
        let words = UInt64(chunkWidth).multipliedReportingOverflow(
            by: UInt64((isPlanar ? 1 : samples) * min(chunkHeight, height) * 2)
        )
        let areWords =
            stated.isPacked && compression == .none && stated.bits > 8 && !words.overflow
            && found.byteCounts.first == words.partialValue
        format =
            areWords ? SampleFormat(number: stated.number, bits: stated.bits, isPacked: false) : stated
        offsets = found.offsets.map { $0 == 0 ? 0 : $0.addingReportingOverflow(shift).partialValue }
        byteCounts = compression == .none ? [] : found.byteCounts
        try checkMemory(file: file, limits: limits)
        try checkChunks(found, directory, isShifted: shift > 0, file: file)
    }

    /// Counted in `Double`, which cannot overflow: a claim of any size is only compared.
    private func checkMemory(file: TIFFFile, limits: TIFFLimits) throws(TIFFError) {
        let pixel = Double(samples * format.size)
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
    private func checkChunks(
        _ found: TIFFChunks,
        _ directory: TIFFDirectory,
        isShifted: Bool,
        file: TIFFFile
    ) throws(TIFFError) {
        let name = areTiles ? "tile" : "strip"
        guard offsets.count >= chunks else {
            throw file.error(
                .damaged,
                "page \(number) has \(offsets.count) \(name)s where its size asks for \(chunks)"
            )
        }
        guard !byteCounts.isEmpty || compression == .none else {
            throw file.error(.damaged, "page \(number) does not say how long its \(name)s are")
        }
        for index in 0..<chunks {
            let decoded = UInt64(decodedBytes(ofChunk: index))
            let what = "\(name) \(index) of page \(number)"
            guard offsets[index] != 0 else {
                throw file.error(.truncated, "\(what) has not been written yet")
            }
            if compression == .none {
                let stated = found.byteCounts.isEmpty || isShifted ? 0 : found.byteCounts[index]
                try checkPlain(index, stated: stated, directory, file: file, what)
                continue
            }
            let stored = byteCounts[index]
            guard stored > 0 else { throw file.error(.truncated, "\(what) has not been written yet") }
            guard file.holds(stored, at: offsets[index]) else {
                throw file.error(.truncated, "\(what) ends behind the end of the file")
            }
            guard stored.multipliedReportingOverflow(by: compression.largestRatio).partialValue >= decoded
            else { throw file.error(.damaged, "\(what) cannot hold \(decoded) bytes in \(stored)") }
        }
    }

    /// Bytes that are not compressed are as many as the pixels ask for, whatever the file says of their number.
    private func checkPlain(
        _ index: Int,
        stated: UInt64,
        _ directory: TIFFDirectory,
        file: TIFFFile,
        _ what: String
    ) throws(TIFFError) {
        let (start, needed) = (offsets[index], UInt64(decodedBytes(ofChunk: index)))
        guard stated == 0 || stated >= needed else {
            // The number is too small. That does not matter if nothing else lies there.
            let next = index + 1 < chunks ? offsets[index + 1] : start
            let isFree = next <= start || next - start >= needed
            let hitsDirectory = directory.offset >= start && directory.offset - start < needed
            guard file.holds(needed, at: start), isFree, !hitsDirectory else {
                throw file.error(.damaged, "\(what) cannot hold \(needed) bytes in \(stated)")
            }
            return
        }
        guard file.holds(needed, at: start) else {
            throw file.error(.truncated, "\(what) ends behind the end of the file")
        }
    }

    /// How far the same strip of the next plane lies behind this one, where planes lie one behind another without
    /// directories; `nil` where the layout is not certain.
    var planeStride: UInt64? {
        guard compression == .none, !areTiles, let first = offsets.first else { return nil }
        var end = first
        for index in 0..<chunks {
            guard offsets[index] == end else { return nil }
            end += UInt64(decodedBytes(ofChunk: index))
        }
        return end - first
    }
}
