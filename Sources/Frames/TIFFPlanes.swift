import Plate

/// A page of a file that is a frame, and its place in time among the frames of the file.
package struct TimePoint: Hashable, Sendable {
    /// The page, counted from 0 over all pages of the file; planes without a directory of their own count as pages.
    package let page: Int
    /// Time points since the first one of the file.
    package let time: Int

    /// Gathers the two.
    package init(page: Int, time: Int) {
        (self.page, self.time) = (page, time)
    }
}

/// The planes of a file: which page shows which channel, z-plane and moment.
///
/// What the file says of it is read from MetaMorph's tags, Micro-Manager's JSON, ImageJ's description, tifffile's or OME-XML,
/// the first of them that is there. Without a word on it pages are points in time, but for thumbnails, levels of pyramids and masks.
struct TIFFPlanes {
    struct Plane {
        let page: Int
        var channel = 0
        var slice = 0
        var time = 0
    }

    /// Those that are there, in the order of their pages.
    var there: [Plane] = []
    /// Those that the file counts and that are not there.
    var absent: [Plane] = []
    /// Why they are not.
    var reason: TIFFError?
    /// All channels of the file, or of the set of files that it belongs to.
    var channels = 1
    var channelNames: [String] = []
    /// All z-planes.
    var slices = 1
    /// Whether what the file calls z-planes may be points in time.
    var mayBeTime = false
    /// How far pages lie apart that have no directories of their own.
    var stride: UInt64?
    var significantBits: Int?

    /// Whether the file may be one of a set, and has some of the channels and z-planes only.
    var isPart = false
    /// Pages that can be read.
    var pageCount: Int

    /// Looks at the metadata of a file; none of it is believed beyond the limits.
    ///
    /// `document` is the description as OME-XML, where it is such.
    init(
        index: TIFFIndex,
        description: String?,
        document: OMEDocument?,
        file: TIFFFile,
        limits: TIFFLimits
    ) throws(TIFFError) {
        pageCount = index.pages.count
        let source = PlaneSource(index: index, file: file, limits: limits)
        let first = index.pages[0]
        if first.count(.metaMorphPlanes) > 1 {
            try readMetaMorph(source)
        } else if first.has(.microManager) {
            try readMicroManager(source)
        } else if let stack = description.flatMap({ ImageJStack(description: $0) }) {
            try readImageJ(stack, source)
        } else if let shape = description.flatMap({ ArrayShape(description: $0) }),
            try readShape(shape, source)
        {
            // The shape has told all.
        } else if let document, try readOME(document, source) {
            // The text has told all.
        } else {
            readPages(source)
            if index.pages.count == 1 { try source.refuseHiddenPlanes() }
        }
        let isCredible = (there + absent).allSatisfy { max($0.time >> 10, $0.slice, $0.channel) < 1 << 20 }
        guard isCredible else {
            throw file.error(
                .damaged,
                "the metadata count channels, z-planes or time points beyond any measure"
            )
        }
        reason = index.broken ?? reason
    }

    /// Pages as points in time, but for those that are no frames.
    private mutating func readPages(_ source: PlaneSource) {
        there = source.framePages.enumerated().map { Plane(page: $1, time: $0) }
    }
}

/// The file that planes are looked for in.
struct PlaneSource {
    let index: TIFFIndex
    let file: TIFFFile
    let limits: TIFFLimits

    /// Pages that are no thumbnails, levels of pyramids or masks; all of them where none is a frame.
    var framePages: [Int] {
        guard index.pages.count > 1 else { return [0] }
        let frames = index.pages.indices.filter { !index.pages[$0].isNoFrame }
        return frames.isEmpty ? Array(index.pages.indices) : frames
    }

    /// Planes of which only the first has a directory: how many of `count` are there, and how far they lie apart.
    ///
    /// Throws `layout` where it is not certain where they lie.
    func contiguous(_ count: Int, who: String) throws(TIFFError) -> (there: Int, stride: UInt64) {
        let page = try TIFFPage(index.pages[0], number: 0, file: file, limits: limits)
        let claim = "\(who) counts \(count) planes, but the file has one page"
        guard let stride = page.planeStride, stride > 0, let start = page.offsets.first else {
            throw file.error(.layout, "\(claim), and its pixels are compressed, tiled or scattered")
        }
        let end = index.pages[0].next(behind: start + stride) ?? file.size
        let room = (min(end, file.size) - start) / stride
        guard room >= UInt64(count) || end >= file.size else {
            throw file.error(.layout, "\(claim), and behind its pixels there is no room for the others")
        }
        return (Int(min(room, UInt64(count))), stride)
    }

    /// Refuses a file whose only page has more pixels behind it than metadata: planes that nothing describes.
    func refuseHiddenPlanes() throws(TIFFError) {
        let directory = index.pages[0]
        func number(_ tag: TIFFTag) throws(TIFFError) -> Double { Double(try directory.number(tag) ?? 1) }
        guard !directory.has(.subDirectories), try number(.compression) == 1 else { return }
        let bits = try number(.imageWidth) * number(.imageLength) * number(.bitsPerSample)
        // Cheap, and enough for nearly every file.
        guard bits / 4 <= Double(file.size),
            let page = try? TIFFPage(directory, number: 0, file: file, limits: limits),
            let stride = page.planeStride, stride > 0, let start = page.offsets.first
        else { return }
        let end = min(directory.next(behind: start + stride) ?? file.size, file.size)
        let room = (end - start) / stride
        guard room > 1, try hasContent(from: start + stride, to: end) else { return }
        throw file.error(
            .layout,
            "behind the pixels of its only page lie \(end - start - stride) bytes more, as \(room - 1) further planes take, "
                + "and nothing in the file describes them"
        )
    }

    /// Whether a part of the file is more than room that was made: looks at 64 places.
    private func hasContent(from start: UInt64, to end: UInt64) throws(TIFFError) -> Bool {
        let step = max(1, (end - start) / 64)
        var at = start
        while at < end {
            let bytes = try file.bytes(
                at: at,
                count: Int(min(64, end - at)),
                of: "what lies behind the pixels"
            )
            if bytes.contains(where: { $0 != 0 }) { return true }
            at += step
        }
        return false
    }

    func checked(_ count: Int, who: String) throws(TIFFError) -> Int {
        guard count <= limits.maximumPages else {
            throw file.error(.tooLarge, "\(who) counts \(count) planes, more than \(limits.maximumPages)")
        }
        return count
    }

    /// The file counts more planes than it has: it is still being written, or the recording broke off.
    func absence(of missing: Int, of count: Int, who: String) -> TIFFError {
        file.error(.truncated, "\(who) counts \(count) planes, \(missing) of them are not there")
    }
}
