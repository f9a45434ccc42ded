/// Tells a half-written TIFF file from a complete one without decoding it.
package enum TIFFStructure {
    /// Checks that the header, every directory and every strip or tile lie within the file.
    ///
    /// Reads only the header, the directories (sub-directories included) and the arrays of offsets and byte
    /// counts: a few reads for a frame. A file that passes is whole, not necessarily readable: its
    /// compression may be unsupported or its data damaged.
    ///
    /// Throws `truncated` or `notTIFF` (both retriable) where the file may still be in the course of being
    /// written, `damaged` where it contradicts itself, `tooLarge` for more pages than the limits allow,
    /// `cannotOpen`.
    package static func check(path: String, limits: TIFFLimits = .default) throws(TIFFError) {
        let file = try TIFFFile(path: path)
        let index = try TIFFIndex(file: file, limits: limits)
        var seen = Set(index.pages.map(\.offset))
        var waiting = index.pages
        var budget = TIFFChunks.Budget(file: file)
        while let directory = waiting.popLast() {
            _ = try TIFFChunks(directory, file: file, budget: &budget)
            for offset in try directory.numbers(.subDirectories, limit: 65_536) where offset != 0 {
                guard seen.insert(offset).inserted else { continue }
                guard seen.count <= limits.maximumPages else {
                    throw file.error(.tooLarge, "there are more than \(limits.maximumPages) directories")
                }
                let child = try TIFFDirectory(file: file, format: index.format, offset: offset)
                try budget.take(child.length, file: file)
                waiting.append(child)
            }
        }
    }
}
