extension TIFFPlanes {
    /// A stack whose planes lie one behind another; tags say depth and wavelength of each.
    ///
    /// Tag 33629 has 24 bytes for a plane: depth (two numbers of 4 bytes, a fraction), date and time of making and of change.
    /// Tag 33630 has a fraction for each plane, its wavelength.
    mutating func readMetaMorph(_ source: PlaneSource) throws(TIFFError) {
        let who = "MetaMorph's tag 33629"
        let (directory, format) = (source.index.pages[0], source.index.format)
        let claimed = directory.count(.metaMorphPlanes)
        let count = try source.checked(Int(min(claimed, UInt64(Int.max))), who: who)
        let depths = try directory.bytes(of: .metaMorphPlanes, count: 24 * count)
        guard depths.count == 24 * count else { throw source.file.error(.damaged, "\(who) is too short") }
        // Depths that differ from 0 in every plane are those of a z-stack.
        let isDeep = (0..<count).allSatisfy { format.number(depths, at: 24 * $0, size: 4) != 0 }
        let wavelengths = try wavelengths(count, source)
        let distinct = Array(Set(wavelengths)).count
        channels = max(1, distinct)
        if channels > 1 {
            // Certain only where the same wavelengths follow each other again and again.
            let cycle = Array(wavelengths.prefix(channels))
            let isRegular =
                count % channels == 0 && Set(cycle).count == channels
                && wavelengths.indices.allSatisfy { wavelengths[$0] == cycle[$0 % channels] }
            guard isRegular else {
                throw source.file.error(
                    .layout,
                    "MetaMorph's wavelengths do not follow each other in a fixed order"
                )
            }
            channelNames = cycle.map { "\($0)" }
        }
        slices = isDeep ? count / channels : 1
        func plane(_ number: Int) -> Plane {
            let step = number / channels
            return Plane(
                page: number,
                channel: number % channels,
                slice: isDeep ? step : 0,
                time: isDeep ? 0 : step
            )
        }
        var isThere = count
        if source.index.pages.count == 1 {
            let found = try source.contiguous(count, who: who)
            (stride, isThere) = (found.stride, found.there)
            pageCount = isThere
        } else {
            isThere = min(count, source.index.pages.count)
        }
        there = (0..<isThere).map(plane)
        absent = (isThere..<count).map(plane)
        if !absent.isEmpty { reason = source.absence(of: absent.count, of: count, who: who) }
    }

    /// In nm, one for each plane; empty where the file does not say.
    private func wavelengths(_ count: Int, _ source: PlaneSource) throws(TIFFError) -> [UInt64] {
        let (directory, format) = (source.index.pages[0], source.index.format)
        guard directory.count(.metaMorphWavelengths) == UInt64(count) else { return [] }
        let bytes = try directory.bytes(of: .metaMorphWavelengths, count: 8 * count)
        guard bytes.count == 8 * count else { return [] }
        return (0..<count).map { plane in
            let parts = (0..<2).map { format.number(bytes, at: 8 * plane + 4 * $0, size: 4) }
            return parts[1] == 0 ? parts[0] : parts[0] / parts[1]
        }
    }
}
