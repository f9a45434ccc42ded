/// What ImageJ's description says of a stack: lines of `key=value` that begin with `ImageJ=`.
struct ImageJStack {
    var images: Int?
    var channels: Int?
    var slices: Int?
    var frames: Int?
    /// Whether the order of the dimensions is certain: a plain stack calls its images slices, whatever they are.
    var isHyperstack = false
    var hasSpacing = false
    var hasInterval = false

    /// Whether slices without a word on depth may be points in time.
    var mayBeTime: Bool { !isHyperstack && !hasSpacing && frames == nil }

    init?(description: String) {
        guard description.hasPrefix("ImageJ=") else { return nil }
        for line in description.utf8.prefix(65_536).split(separator: UInt8(ascii: "\n")) {
            let parts = line.split(separator: UInt8(ascii: "="), maxSplits: 1)
            guard parts.count == 2 else { continue }
            let (key, value) = (
                String(decoding: parts[0], as: UTF8.self), String(decoding: parts[1], as: UTF8.self)
            )
            let number = Int(value.filter { $0 != "\r" && $0 != " " }).flatMap { $0 > 0 ? $0 : nil }
            switch key {
            case "images": images = number
            case "channels": channels = number
            case "slices": slices = number
            case "frames": frames = number
            case "hyperstack": isHyperstack = value.hasPrefix("true")
            case "spacing": hasSpacing = true
            case "finterval": hasInterval = (Double(value.filter { $0 != "\r" }) ?? 0) > 0
            default: break
            }
        }
        // A plain stack with a time between its images.
        if mayBeTime, hasInterval { (frames, slices) = (slices, nil) }
    }
}

extension TIFFPlanes {
    /// Reads the order: channels change first, then z-planes, then time.
    ///
    /// The first directory may be the only one.
    mutating func readImageJ(_ stack: ImageJStack, _ source: PlaneSource) throws(TIFFError) {
        let who = "ImageJ's description"
        let pages = source.framePages
        let (planes, overflow) = (stack.channels ?? 1).multipliedReportingOverflow(by: stack.slices ?? 1)
        guard !overflow else { throw source.file.error(.damaged, "\(who) contradicts itself") }
        let (product, overflowToo) = planes.multipliedReportingOverflow(by: stack.frames ?? 1)
        let count = try source.checked(stack.images ?? (overflowToo ? .max : product), who: who)
        guard count % planes == 0 else {
            throw source.file.error(
                .layout,
                "\(who) counts \(count) images of \(stack.channels ?? 1) channels and \(stack.slices ?? 1) slices"
            )
        }
        (channels, slices) = (stack.channels ?? 1, stack.slices ?? 1)
        mayBeTime = stack.mayBeTime
        func plane(_ number: Int, page: Int) -> Plane {
            Plane(
                page: page,
                channel: number % channels,
                slice: number / channels % slices,
                time: number / planes
            )
        }
        if source.index.pages.count == 1, count > 1, source.index.broken == nil {
            let found = try source.contiguous(count, who: who)
            (stride, pageCount) = (found.stride, found.there)
            there = (0..<found.there).map { plane($0, page: $0) }
            absent = (found.there..<count).map { plane($0, page: $0) }
        } else {
            there = pages.enumerated().map { plane($0, page: $1) }
            absent = (0..<max(0, count - pages.count)).map {
                plane(pages.count + $0, page: source.index.pages.count + $0)
            }
        }
        if !absent.isEmpty { reason = source.absence(of: absent.count, of: count, who: who) }
    }
}
