/// The images of an OME-XML text: their sizes, and which planes lie in which directories of which files.
///
/// Written after the OME data model 2016-06. Counts are numbers that somebody wrote; nothing is reserved for them.
struct OMEDocument {
    /// Some planes of an image, in the order of its dimensions from the first one on.
    struct TIFFData {
        /// The first directory; `nil` for the first of the file.
        var directory: Int?
        /// How many planes; `nil` for one, or for all where no directory is named either.
        var count: Int?
        var first = (channel: 0, slice: 0, time: 0)
        /// Name and identifier of the file that they lie in; `nil` for this one.
        var fileName: String?
        var identifier: String?
    }

    struct Image {
        var metadata: OMEMetadata
        var width = 0
        var height = 0
        /// Planes of different colour, depth and time; `nil` where the text leaves the size out.
        var size: (channels: Int, slices: Int, times: Int)?
        var order = "XYCZT"
        var significantBits: Int?
        var channelNames: [String] = []
        /// Samples of a pixel in the first channel, which `SizeC` counts too.
        var samples = 1
        var data: [TIFFData] = []
    }

    /// The file's own identifier.
    private(set) var identifier: String?
    /// The file that holds the text, where this one only refers to it.
    private(set) var companion: String?
    private(set) var images: [Image] = []
    /// Whether the text ends early.
    private(set) var isBroken = false

    /// Reads a text; stops behind the sizes of the first image where they say that it has one plane and
    /// `stopsAtOnePlane` is set: one page needs no more.
    init(xml: String, stopsAtOnePlane: Bool) {
        var scanner = XMLScanner(xml)
        var isEmpty = false
        while let name = scanner.nextElement() {
            switch name {
            case "OME": identifier = scanner.attributes(isEmpty: &isEmpty)?["UUID"]
            case "BinaryOnly": companion = scanner.attributes(isEmpty: &isEmpty)?["MetadataFile"]
            case "Pixels":
                guard let attributes = scanner.attributes(isEmpty: &isEmpty) else { break }
                images.append(Image(pixels: attributes))
                if stopsAtOnePlane, images[0].isOnePlane { return }
                if !isEmpty { read(&scanner, into: &images[images.count - 1]) }
            default: break
            }
        }
        isBroken = scanner.isBroken
    }

    /// The children of `Pixels`.
    private func read(_ scanner: inout XMLScanner, into image: inout Image) {
        var isEmpty = false
        while let name = scanner.nextElement(endOf: "Pixels") {
            switch name {
            case "Channel":
                guard let attributes = scanner.attributes(isEmpty: &isEmpty) else { return }
                if image.channelNames.isEmpty {
                    image.samples = max(1, attributes["SamplesPerPixel"].flatMap { Int($0) } ?? 1)
                }
                image.channelNames.append(attributes["Name"] ?? "")
            case "TiffData":
                guard let attributes = scanner.attributes(isEmpty: &isEmpty) else { return }
                image.data.append(TIFFData(attributes))
                guard !isEmpty else { break }
                while let child = scanner.nextElement(endOf: "TiffData") {
                    guard child == "UUID", let attributes = scanner.attributes(isEmpty: &isEmpty) else {
                        continue
                    }
                    image.data[image.data.count - 1].fileName = attributes["FileName"]
                    if !isEmpty { image.data[image.data.count - 1].identifier = scanner.text() }
                }
            default: break
            }
        }
    }
}

extension OMEDocument.Image {
    fileprivate init(pixels attributes: [String: String]) {
        metadata = OMEMetadata(pixels: attributes)
        func number(_ name: String) -> Int? { attributes[name].flatMap { Int($0) } }
        (width, height) = (number("SizeX") ?? 0, number("SizeY") ?? 0)
        if let channels = number("SizeC"), let slices = number("SizeZ"), let times = number("SizeT") {
            size = (max(1, channels), max(1, slices), max(1, times))
        }
        order = attributes["DimensionOrder"] ?? order
        significantBits = number("SignificantBits")
    }

    /// Whether the sizes say so, or are left out.
    fileprivate var isOnePlane: Bool { size.map { $0 == (1, 1, 1) } ?? true }

    /// The sizes in planes: `SizeC` counts the samples of a pixel, too.
    var planes: (channels: Int, slices: Int, times: Int)? {
        size.map { (max(1, $0.channels / samples), $0.slices, $0.times) }
    }

    /// The place of a plane that lies so many behind another, in the order of the dimensions; `nil` behind the last one.
    func place(_ distance: Int, behind first: (channel: Int, slice: Int, time: Int))
        -> (channel: Int, slice: Int, time: Int)?
    {
        guard let size = planes, first.channel < size.channels, first.slice < size.slices,
            first.time < size.times
        else { return nil }
        let sizes: [Character: Int] = ["C": size.channels, "Z": size.slices, "T": size.times]
        var place: [Character: Int] = ["C": first.channel, "Z": first.slice, "T": first.time]
        let order = Array(order.filter { "CZT".contains($0) })
        guard Set(order).count == 3 else { return nil }
        var carry = distance
        for axis in order {
            guard let length = sizes[axis], let start = place[axis] else { return nil }
            let (sum, overflow) = start.addingReportingOverflow(carry)
            guard !overflow else { return nil }
            place[axis] = sum % length
            carry = sum / length
        }
        guard carry == 0, let channel = place["C"], let slice = place["Z"], let time = place["T"] else {
            return nil
        }
        return (channel, slice, time)
    }
}

extension OMEDocument.TIFFData {
    fileprivate init(_ attributes: [String: String]) {
        // A number below 0 means nothing here.
        func number(_ name: String) -> Int? {
            attributes[name].flatMap { Int($0) }.flatMap { $0 < 0 ? nil : $0 }
        }
        directory = number("IFD")
        count = number("PlaneCount")
        first = (number("FirstC") ?? 0, number("FirstZ") ?? 0, number("FirstT") ?? 0)
    }
}
