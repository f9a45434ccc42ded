/// Where the strips or tiles of a page lie, all of them within the file.
struct TIFFChunks {
    /// Bytes of directories and arrays that may still be read: an honest file has no more of them than bytes.
    struct Budget {
        private var left: UInt64

        init(file: TIFFFile) { left = file.size }

        mutating func take(_ bytes: Int, file: TIFFFile) throws(TIFFError) {
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
        if values > 8 { try budget.take(Int(min(values, UInt64(Self.limit))), file: file) }
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
