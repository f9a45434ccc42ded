package import Plate

/// How much of a file is there.
package enum TIFFCompleteness: Sendable, Equatable {
    /// All frames.
    case whole
    /// So many frames, at least one; the others have not been written yet, and the sentence says what is missing.
    case partial(frames: Int, reason: String)
    /// All frames, but the last stored bytes are zeros, as of room that was made and is filled later.
    case unfilled(reason: String)
}

/// Tells a half-written TIFF file from a complete one without decoding it.
package enum TIFFStructure {
    /// Checks that the header, the directories and every strip or tile of the frames lie within the file.
    ///
    /// Reads only the header, the directories, the arrays of offsets and byte counts, and a few bytes of the pixels. A file
    /// that passes is whole, not necessarily readable: its compression may be unsupported or its data damaged.
    ///
    /// Throws `truncated` or `notTIFF` (both retriable) where no frame is there yet and the file may still be
    /// in the course of being written, `damaged` where it contradicts itself, `tooLarge` for more pages than the limits
    /// allow, `layout`, `choice`, `cannotOpen`.
    @discardableResult
    package static func check(
        path: String,
        limits: TIFFLimits = .default,
        choice: PlaneChoice = PlaneChoice()
    ) throws(TIFFError) -> TIFFCompleteness {
        let reader = try TIFFReader(path: path, limits: limits, choice: choice)
        let presence = try reader.presence(isFinished: false)
        guard let error = presence.missing?.error, error.isRetriable else {
            guard let last = presence.there.last, try reader.endsInZeros(page: last.page) else {
                return .whole
            }
            return .unfilled(
                reason: "the last bytes of page \(last.page) are zeros, so it may still be written"
            )
        }
        guard !presence.there.isEmpty else { throw error }
        return .partial(frames: presence.there.count, reason: error.description)
    }
}

extension TIFFReader {
    /// Which frames are there with their pixels, and the first that is not.
    package struct Presence: Sendable {
        /// In order of time.
        package var there: [TimePoint] = []
        /// The first frame that is not there, and why; `nil` where all are.
        package var missing: MissingFrame?
    }

    /// Looks whether the pixels of every frame lie within the file, whether or not their kind is read.
    ///
    /// Pixels that are all zero may be room that was made for what comes later: the last frames count as missing if they have
    /// no others. Where nothing more is expected (`isFinished`) a single frame counts as there: reading it says if it is.
    ///
    /// Throws `cannotOpen`.
    package func presence(isFinished: Bool) throws(TIFFError) -> Presence {
        if isFinished, frames.count == 1, missing == nil { return Presence(there: frames) }
        var presence = Presence(missing: missing)
        var lack: MissingFrame?
        for frame in frames {
            do throws(TIFFError) {
                try checkWithin(page: frame.page)
                presence.there.append(frame)
            } catch {
                guard error.isRetriable else { throw error }
                lack = lack ?? MissingFrame(frame: frame, error: error)
            }
        }
        presence.missing = lack ?? presence.missing
        try takeOutRoom(from: &presence)
        return presence
    }

    /// Throws `truncated` where the pixels of a page do not lie within the file.
    private func checkWithin(page: Int) throws(TIFFError) {
        do throws(TIFFError) {
            _ = try layout(page: page)
        } catch {
            guard error.code != .truncated, error.code != .cannotOpen else { throw error }
            guard planes.stride == nil else { return }
            // It will be refused when it is read; but not while it grows.
            var budget = TIFFChunks.Budget(file: file)
            guard let chunks = try? TIFFChunks(index.pages[page], file: file, budget: &budget) else { return }
            try chunks.check(within: file)
        }
    }

    /// The last frames without any pixel above 0 are room for what is still to be written.
    private func takeOutRoom(from presence: inout Presence) throws(TIFFError) {
        // From the end, by samples; then the first of these frames are looked at as a whole.
        var end = presence.there.count
        while end > 0, try isBlank(presence.there[end - 1].page, bySamples: true) { end -= 1 }
        while end < presence.there.count, try !isBlank(presence.there[end].page, bySamples: false) {
            end += 1
        }
        guard end < presence.there.count else { return }
        let first = presence.there[end]
        presence.there.removeSubrange(end...)
        presence.missing = MissingFrame(
            frame: first,
            error: file.error(
                .truncated,
                "the pixels of page \(first.page) are all 0, as those are that have not been written yet"
            )
        )
    }

    /// Whether the stored pixels of a page are all zero; of compressed ones the last strip or tile is enough, as files are
    /// filled from their beginning.
    private func isBlank(_ number: Int, bySamples: Bool) throws(TIFFError) -> Bool {
        guard let page = try? layout(page: number) else { return false }
        let last = page.chunks - 1
        for index in (page.compression == .none ? 0 : last)...last {
            let all = page.storedBytes(ofChunk: index)
            var (at, step) = (0, bySamples ? 512 : 1 << 16)
            while at < all {
                let bytes = try file.bytes(
                    at: page.offsets[index] + UInt64(at),
                    count: min(all - at, step),
                    of: "page \(number)"
                )
                if bytes.contains(where: { $0 != 0 }) { return false }
                at += bySamples ? max(step, all / 4) : step
                step = bySamples ? step : min(step * 2, 1 << 20)
            }
        }
        return true
    }

    /// Whether the last stored bytes of a page are zeros, 4096 at most: of a file that is filled from its beginning they come last.
    fileprivate func endsInZeros(page number: Int) throws(TIFFError) -> Bool {
        guard let page = try? layout(page: number),
            let last = (0..<page.chunks).max(by: { page.offsets[$0] < page.offsets[$1] })
        else { return false }
        let stored = page.storedBytes(ofChunk: last)
        let count = min(stored, 4096)
        let end = page.offsets[last] + UInt64(stored - count)
        return try file.bytes(at: end, count: count, of: "page \(number)").allSatisfy { $0 == 0 }
    }

    /// A digest of what is stored of a page, from its size and from samples of its pixels; the same for the same page in a
    /// file that has grown.
    ///
    /// Reads 64 places of 512 bytes, which tells camera images apart for certain, not drawings that differ in a few pixels.
    package func storedDigest(page: Int) throws(TIFFError) -> UInt64 {
        let layout = try self.layout(page: page)
        var hash = FNVHash()
        for number in [layout.width, layout.height, layout.format.bits, layout.samples] { hash.add(number) }
        let lengths = (0..<layout.chunks).map(layout.storedBytes)
        let all = lengths.reduce(0, +)
        hash.add(all)
        let step = max(512, all / 64)
        var (before, wanted) = (0, 0)
        for (index, length) in lengths.enumerated() {
            while wanted < before + length {
                let within = wanted - before
                let bytes = try file.bytes(
                    at: layout.offsets[index] + UInt64(within),
                    count: min(512, length - within),
                    of: "page \(page)"
                )
                bytes.forEach { hash.add($0) }
                wanted += step
            }
            before += length
        }
        return hash.value
    }
}

/// The hash of Fowler, Noll and Vo, 64 bits, variant 1a.
private struct FNVHash {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }

    mutating func add(_ number: Int) {
        for shift in 0..<8 { add(UInt8(truncatingIfNeeded: number >> (8 * shift))) }
    }
}
