extension TIFFPlanes {
    /// The planes of the text's image that lie in this file; `false` where it does not say enough and every page is a time point.
    mutating func readOME(_ document: OMEDocument, _ source: PlaneSource) throws(TIFFError) -> Bool {
        var document = document
        let identifier = document.identifier
        if let companion = document.companion, document.images.isEmpty {
            guard source.index.pages.count > 1 || source.index.broken != nil else { return false }
            document = try source.companion(named: companion)
        }
        guard let image = try ownImage(of: document, identifier, source) else { return false }
        significantBits = image.significantBits
        // One page with one plane needs no more.
        guard let size = image.planes, size != (1, 1, 1) || source.index.pages.count > 1 else { return false }
        let (planes, overflow) = size.channels.multipliedReportingOverflow(by: size.slices)
        let isSeries = !overflow && planes == 1
        guard !document.isBroken else {
            if isSeries { return false }
            throw source.file.error(.damaged, "its OME-XML ends early")
        }
        (channels, slices, channelNames) = (size.channels, size.slices, image.channelNames)
        let own = try ownPlanes(of: image, document, identifier, source)
        let directories = source.index.pages.count
        let pages = Set(own.map(\.page))
        let unknown = source.framePages.filter { !pages.contains($0) && source.isFrameSized($0) }
        if !unknown.isEmpty, document.images.count == 1 {
            // Pages of one channel and plane that the text does not count are time points all the same.
            if isSeries { return false }
            throw source.file.error(
                .layout,
                "its OME-XML tells of \(own.count) planes, but not what page \(unknown[0]) is"
            )
        }
        isPart = true
        there = own.filter { $0.page < directories }
        absent = own.filter { $0.page >= directories }
        try findPixels(of: own, source)
        return true
    }

    /// Planes of which only the first has a directory may lie behind it.
    private mutating func findPixels(of own: [Plane], _ source: PlaneSource) throws(TIFFError) {
        let who = "its OME-XML"
        guard !absent.isEmpty else { return }
        reason = source.absence(of: absent.count, of: own.count, who: who)
        guard source.index.pages.count == 1, source.index.broken == nil,
            own.map(\.page) == Array(own.indices),
            let found = try? source.contiguous(own.count, who: who), found.there == own.count
        else { return }
        (stride, pageCount, there, absent, reason) = (found.stride, own.count, own, [], nil)
    }

    /// The image that is judged: the one with planes in this file; of several sizes the largest.
    private func ownImage(
        of document: OMEDocument,
        _ identifier: String?,
        _ source: PlaneSource
    ) throws(TIFFError) -> OMEDocument.Image? {
        let own = document.images.filter { image in
            document.images.count == 1 || image.data.isEmpty
                || !source.own(image.data, identifier).isEmpty
        }
        guard
            let largest = own.max(by: {
                Double($0.width) * Double($0.height) < Double($1.width) * Double($1.height)
            })
        else { return nil }
        let alike = own.filter { ($0.width, $0.height) == (largest.width, largest.height) }
        guard alike.count == 1 else {
            throw source.file.error(
                .layout,
                "its OME-XML tells of \(alike.count) images, for example fields, in one file"
            )
        }
        return largest
    }

    /// Every plane of an image that lies in this file, in the order of directories.
    private func ownPlanes(
        of image: OMEDocument.Image,
        _ document: OMEDocument,
        _ identifier: String?,
        _ source: PlaneSource
    ) throws(TIFFError) -> [Plane] {
        guard let size = image.planes else { return [] }
        let total = [size.channels, size.slices, size.times].reduce(1.0) { $0 * Double($1) }
        let data = image.data.isEmpty ? [OMEDocument.TIFFData()] : source.own(image.data, identifier)
        guard !data.isEmpty else {
            throw source.file.error(
                .layout,
                "its OME-XML describes other files only; was it renamed?"
            )
        }
        var planes: [Int: Plane] = [:]
        for block in data {
            let rest = Int(min(total, Double(source.limits.maximumPages) + 1))
            let all = block.fileName == nil && block.identifier == nil ? rest : source.index.pages.count
            let count = block.count ?? (block.directory == nil ? all : 1)
            let first = block.directory ?? 0
            _ = try source.checked(max(first, min(count, rest)), who: "its OME-XML")
            for step in 0..<min(count, rest) {
                guard let place = image.place(step, behind: block.first) else { break }
                planes[first + step] = Plane(
                    page: first + step,
                    channel: place.channel,
                    slice: place.slice,
                    time: place.time
                )
            }
            _ = try source.checked(planes.count, who: "its OME-XML")
        }
        return planes.values.sorted { $0.page < $1.page }
    }
}

extension PlaneSource {
    /// The blocks that lie in this file: of this name, of its identifier, or without either.
    ///
    /// A file may have been renamed: where all blocks are of one file, that is this one.
    func own(_ data: [OMEDocument.TIFFData], _ identifier: String?) -> [OMEDocument.TIFFData] {
        let name = file.path.split(separator: "/").last.map(String.init) ?? file.path
        func isOwn(_ block: OMEDocument.TIFFData) -> Bool {
            guard let other = block.fileName ?? block.identifier else { return true }
            if let fileName = block.fileName, fileName.split(separator: "/").last.map(String.init) == name {
                return true
            }
            if let identifier, block.identifier == identifier { return true }
            return other.isEmpty
        }
        let own = data.filter(isOwn)
        guard own.isEmpty else { return own }
        let files = Set(data.map { $0.fileName ?? $0.identifier })
        return files.count == 1 ? data : []
    }

    /// The text of a file beside this one that describes it.
    func companion(named name: String) throws(TIFFError) -> OMEDocument {
        let base = name.split(separator: "/").last.map(String.init) ?? ""
        let folder = file.path.lastIndex(of: "/").map { file.path[...$0] } ?? ""
        let missing = file.error(.truncated, "its planes are described in \(base), which cannot be read")
        guard !base.isEmpty, base != "..", let companion = try? TIFFFile(path: folder + base),
            companion.size <= 64 << 20,
            let bytes = try? companion.bytes(at: 0, count: Int(companion.size), of: "the text")
        else { throw missing }
        let document = OMEDocument(xml: String(decoding: bytes, as: UTF8.self), stopsAtOnePlane: false)
        guard !document.images.isEmpty, !document.isBroken else { throw missing }
        return document
    }

    /// Whether a page is as large as the first frame; smaller ones that no text names are thumbnails.
    func isFrameSized(_ page: Int) -> Bool {
        let first = framePages[0]
        func size(_ page: Int) -> [UInt64?] {
            [TIFFTag.imageWidth, .imageLength].map { try? index.pages[page].number($0) }
        }
        return size(page) == size(first)
    }
}
