import Foundation
import Plate
import TestSupport
import Testing

@testable import Frames

/// Which pages of a file are frames, and where planes lie that have no directory.
struct StackTests {
    /// Every pixel of a page has its number, so that a page is known by any pixel.
    private static func stack(_ pages: Int, _ description: String? = nil) -> TIFFBuilder {
        var builder = TIFFBuilder(width: 20, height: 10, rowsPerStrip: 10, pages: pages)
        builder.value = { page, _, _, _ in Double(page + 1) }
        if let description { builder.overrides[270] = (2, Array((description + "\0").utf8).map(Int.init)) }
        return builder
    }

    private func read<Result>(
        _ builder: TIFFBuilder,
        named name: String = "stack.tif",
        _ choice: PlaneChoice = PlaneChoice(),
        beside: [String: String] = [:],
        cutting bytes: Int = 0,
        _ body: (TIFFReader) throws -> Result
    ) async throws -> Result {
        try await withTemporaryFolder { folder in
            let url = folder.appending(path: name)
            try Data(builder.bytes().dropLast(bytes)).write(to: url)
            for (name, text) in beside { try Data(text.utf8).write(to: folder.appending(path: name)) }
            return try body(try TIFFReader(path: url.path, choice: choice))
        }
    }

    /// The page numbers that the frames show, and their times.
    private func shown(_ reader: TIFFReader) throws -> [[Int]] {
        try reader.frames.map { [Int(try reader.frame(page: $0.page)[3, 4]), $0.time] }
    }

    private func expect(
        _ code: TIFFError.Code,
        _ reason: String,
        _ builder: TIFFBuilder,
        _ choice: PlaneChoice = PlaneChoice()
    ) async {
        let error = await #expect(throws: TIFFError.self, "\(reason)") {
            try await read(builder, choice) { try $0.frame(page: 0) }
        }
        #expect(error?.code == code && error?.detail.contains(reason) == true, "\(error?.description ?? "")")
    }

    // MARK: ImageJ

    @Test(arguments: [(false, false), (true, false), (false, true), (true, true)])
    func imageJPlanesBehindTheOnlyPageAreRead(isBigEndian: Bool, isBig: Bool) async throws {
        var builder = Self.stack(5, "ImageJ=1.54f\nimages=5\nframes=5\nhyperstack=true\n")
        (builder.isContiguous, builder.isBigEndian, builder.isBig) = (true, isBigEndian, isBig)
        builder.bits = 16
        try await read(builder) { reader throws in
            #expect(reader.pageCount == 5 && reader.missing == nil && reader.note == nil)
            #expect(try shown(reader) == [[1, 0], [2, 1], [3, 2], [4, 3], [5, 4]])
        }
    }

    /// Channels change first, then z-planes, then time.
    @Test(arguments: [true, false]) func imageJHyperstacksAreTakenApart(isContiguous: Bool) async throws {
        var builder = Self.stack(
            12,
            "ImageJ=1.54f\nimages=12\nchannels=2\nslices=3\nframes=2\nhyperstack=true\nmode=grayscale\n"
        )
        builder.isContiguous = isContiguous
        try await read(builder) { reader throws in
            #expect(try shown(reader) == [[3, 0], [9, 1]])
            #expect(reader.note?.contains("2 channels, and the first") == true)
            #expect(reader.note?.contains("3 z-planes, and the middle one, 2") == true)
        }
        try await read(builder, PlaneChoice(channel: "2", plane: .number(3))) { reader throws in
            #expect(try shown(reader) == [[6, 0], [12, 1]])
            #expect(reader.note == nil)
        }
        await expect(.choice, "no channel 3", builder, PlaneChoice(channel: "3"))
        await expect(.choice, "no z-plane 4", builder, PlaneChoice(plane: .number(4)))
    }

    /// ImageJ calls the images of a plain stack slices, whatever they are.
    @Test func aPlainStackMayBeTakenForTime() async throws {
        var builder = Self.stack(3, "ImageJ=1.54f\nimages=3\nslices=3\nloop=false\n")
        builder.isContiguous = true
        try await read(builder) { reader throws in
            #expect(try shown(reader) == [[2, 0]])
            #expect(reader.note?.contains("`plane: time`") == true)
        }
        try await read(builder, PlaneChoice(plane: .time)) { reader throws in
            #expect(try shown(reader) == [[1, 0], [2, 1], [3, 2]])
        }
    }

    @Test func aPlainStackWithATimeBetweenItsImagesIsTime() async throws {
        var builder = Self.stack(3, "ImageJ=1.54f\nimages=3\nslices=3\nfinterval=8.0\n")
        builder.isContiguous = true
        try await read(builder) { reader throws in
            #expect(try shown(reader) == [[1, 0], [2, 1], [3, 2]])
            #expect(reader.note == nil)
        }
    }

    // MARK: tifffile

    @Test(arguments: [true, false]) func arraysSayTheirAxes(isContiguous: Bool) async throws {
        var builder = Self.stack(12, #"{"shape": [2, 3, 2, 10, 20], "axes": "TZCYX"}"#)
        builder.isContiguous = isContiguous
        try await read(builder) { reader throws in #expect(try shown(reader) == [[3, 0], [9, 1]]) }
        builder = Self.stack(12, #"{"shape": [12, 10, 20], "truncated": true}"#)
        builder.isContiguous = isContiguous
        try await read(builder) { reader throws in #expect(try shown(reader).count == 12) }
        builder = Self.stack(12, #"{"shape": [3, 4, 10, 20], "axes": "PTYX"}"#)
        builder.isContiguous = isContiguous
        await expect(.layout, "axes PT", builder)
    }

    @Test func planesThatCannotBeFoundRefuseTheFile() async {
        let description = "ImageJ=1.54f\nimages=3\nframes=3\n"
        var compressed = Self.stack(1, description)
        compressed.compression = 8
        await expect(.layout, "counts 3 planes, but the file has one page", compressed)
        // The description is all that is left of a stack.
        await expect(.layout, "no room for the others", Self.stack(1, description))
        // Somebody else's stack, without a word on it.
        var silent = Self.stack(4)
        silent.isContiguous = true
        await expect(.layout, "nothing in the file describes", silent)
    }

    @Test func roomBehindThePixelsIsNoPlane() async throws {
        var builder = Self.stack(4)
        builder.isContiguous = true
        builder.value = { page, _, _, _ in page == 0 ? 1 : 0 }
        try await read(builder) { reader throws in #expect(try shown(reader) == [[1, 0]]) }
    }

    @Test func hostileCountsAreRefused() async {
        for count in [
            "images=99999999", "images=4\nchannels=3", "images=9223372036854775807\nslices=2\nchannels=2",
        ] {
            var builder = Self.stack(4, "ImageJ=1.54f\n\(count)\n")
            builder.isContiguous = true
            let error = await #expect(throws: TIFFError.self) { try await read(builder) { _ in } }
            #expect(error.map { [.layout, .tooLarge, .damaged].contains($0.code) } == true)
        }
    }

    // MARK: MetaMorph

    private static func metaMorph(_ planes: Int, depth: Int, wavelengths: [Int] = []) -> TIFFBuilder {
        var builder = stack(planes)
        builder.isContiguous = true
        let plane = [depth, 1, 2_460_000, 1000, 2_460_000, 1000]
        builder.overrides[33629] = (5, (0..<planes).flatMap { _ in plane })
        builder.counts[33629] = planes
        if !wavelengths.isEmpty { builder.overrides[33630] = (5, wavelengths.flatMap { [$0, 1] }) }
        return builder
    }

    @Test func metaMorphStacksAreRead() async throws {
        try await read(Self.metaMorph(3, depth: 0)) { reader throws in
            #expect(try shown(reader) == [[1, 0], [2, 1], [3, 2]])
        }
        try await read(Self.metaMorph(5, depth: 7)) { reader throws in
            #expect(try shown(reader) == [[3, 0]])
            #expect(reader.note?.contains("5 z-planes") == true)
        }
        let lights = Self.metaMorph(4, depth: 0, wavelengths: [488, 561, 488, 561])
        try await read(lights, PlaneChoice(channel: "561")) { reader throws in
            #expect(try shown(reader) == [[2, 0], [4, 1]])
        }
        await expect(
            .layout,
            "fixed order",
            Self.metaMorph(4, depth: 0, wavelengths: [488, 561, 561, 488])
        )
        await expect(
            .truncated,
            "an entry",
            {
                var builder = Self.metaMorph(3, depth: 0)
                builder.counts[33629] = 60_000
                return builder
            }()
        )
    }

    // MARK: Micro-Manager

    private static func microManager(_ pages: [(channel: Int, slice: Int, frame: Int)]) -> TIFFBuilder {
        var builder = stack(pages.count)
        for (page, place) in pages.enumerated() {
            let text = """
                {"Nested": {"ChannelIndex": 9, "a": ["}", 1]}, "ChannelIndex": \(place.channel), "PositionIndex": 0,
                 "SliceIndex": \(place.slice), "FrameIndex": \(place.frame), "Channel": "\(["BF", "GFP"][place.channel])"}
                """
            builder.pageOverrides[page] = [51123: (2, Array((text + "\0").utf8).map(Int.init))]
        }
        return builder
    }

    @Test func microManagersPagesSayWhatTheyAre() async throws {
        let pages = (0..<2).flatMap { frame in
            (0..<3).flatMap { slice in (0..<2).map { (channel: $0, slice: slice, frame: frame) } }
        }
        let builder = Self.microManager(pages)
        try await read(builder) { reader throws in #expect(try shown(reader) == [[3, 0], [9, 1]]) }
        try await read(builder, PlaneChoice(channel: "gfp", plane: .number(1))) { reader throws in
            #expect(try shown(reader) == [[2, 0], [8, 1]])
        }
        // A page without its text could be anything.
        var silent = builder
        silent.pageOverrides[5] = nil
        await expect(.layout, "what page 5 is", silent)
    }

    // MARK: OME

    private static func ome(
        _ size: (c: Int, z: Int, t: Int),
        order: String = "XYCZT",
        data: String,
        uuid: String = "urn:uuid:1"
    ) -> String {
        """
        <?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="\(uuid)">\
        <Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="\(order)" Type="uint8" SizeX="20" SizeY="10" \
        SizeC="\(size.c)" SizeZ="\(size.z)" SizeT="\(size.t)"><Channel ID="Channel:0:0" Name="BF" SamplesPerPixel="1"/>\
        <Channel ID="Channel:0:1" Name="GFP" SamplesPerPixel="1"/>\(data)</Pixels></Image></OME>
        """
    }

    @Test(arguments: [
        ("XYCZT", [[3, 0], [9, 1]]), ("XYZCT", [[2, 0], [8, 1]]), ("XYTZC", [[3, 0], [4, 1]]),
    ])
    func omeXMLNamesEveryPage(order: String, expected: [[Int]]) async throws {
        let builder = Self.stack(12, Self.ome((2, 3, 2), order: order, data: "<TiffData/>"))
        try await read(builder) { reader throws in
            #expect(try shown(reader) == expected)
            #expect(reader.note?.contains("(BF, GFP)") == true)
        }
    }

    @Test func omeBlocksPutPagesInOrder() async throws {
        let data = """
            <TiffData IFD="0" FirstT="2"/><TiffData IFD="1" FirstT="1"/><TiffData IFD="2" FirstT="0"/>
            """
        try await read(Self.stack(3, Self.ome((1, 1, 3), data: data))) { reader throws in
            #expect(try shown(reader) == [[3, 0], [2, 1], [1, 2]])
        }
    }

    @Test func aFileOfASetHasItsOwnPlanes() async throws {
        func data(_ name: String) -> String {
            (0..<4).map { time in
                """
                <TiffData IFD="\(time % 2)" FirstT="\(time)" PlaneCount="1">\
                <UUID FileName="\(time < 2 ? "other.ome.tif" : name)">urn:uuid:\(time / 2)</UUID></TiffData>
                """
            }.joined()
        }
        let named = Self.stack(2, Self.ome((1, 1, 4), data: data("stack.tif"), uuid: "none"))
        let identified = Self.stack(2, Self.ome((1, 1, 4), data: data("renamed.tif"), uuid: "urn:uuid:1"))
        for builder in [named, identified] {
            try await read(builder) { reader throws in
                #expect(try shown(reader) == [[1, 0], [2, 1]])
                #expect(reader.missing == nil && reader.note == nil)
            }
        }
        await expect(
            .layout,
            "other files only",
            Self.stack(2, Self.ome((1, 1, 4), data: data("renamed.tif"), uuid: "none"))
        )
    }

    @Test func aFileOfOneChannelOfASetNeedsNoChoice() async throws {
        let data = """
            <TiffData FirstC="0" PlaneCount="2"><UUID FileName="other.tif">a</UUID></TiffData>\
            <TiffData FirstC="1" IFD="0" FirstT="0"><UUID FileName="stack.tif">b</UUID></TiffData>\
            <TiffData FirstC="1" IFD="1" FirstT="1"><UUID FileName="stack.tif">b</UUID></TiffData>
            """
        let builder = Self.stack(2, Self.ome((2, 1, 2), data: data))
        try await read(builder) { reader throws in
            #expect(try shown(reader) == [[1, 0], [2, 1]])
            #expect(reader.note == nil)
        }
        // Nothing of it is judged where another channel is.
        try await read(builder, PlaneChoice(channel: "BF")) { reader throws in
            #expect(reader.frames.isEmpty && reader.missing == nil)
        }
    }

    @Test func aCompanionDescribesTheFile() async throws {
        let only = """
            <OME UUID="urn:uuid:7"><BinaryOnly MetadataFile="plate.companion.ome" UUID="urn:uuid:9"/></OME>
            """
        let data = """
            <TiffData IFD="0" FirstC="0"><UUID FileName="x">urn:uuid:7</UUID></TiffData>\
            <TiffData IFD="1" FirstC="1"><UUID FileName="x">urn:uuid:7</UUID></TiffData>
            """
        let text = Self.ome((2, 1, 1), data: data)
        try await read(Self.stack(2, only), beside: ["plate.companion.ome": text]) { reader throws in
            #expect(try shown(reader) == [[1, 0]])
            #expect(reader.note?.contains("2 channels") == true)
        }
        // It may still be written.
        await expect(.truncated, "plate.companion.ome", Self.stack(2, only))
    }

    @Test func planesThatOMECountsAndThatAreNotThereAreMissing() async throws {
        let text = Self.ome((1, 1, 5), data: "<TiffData/>")
        try await read(Self.stack(3, text)) { reader throws in
            #expect(try shown(reader) == [[1, 0], [2, 1], [3, 2]])
            #expect(reader.missing?.frame == TimePoint(page: 3, time: 3))
            #expect(reader.missing?.error.isRetriable == true)
        }
        var contiguous = Self.stack(5, text)
        contiguous.isContiguous = true
        try await read(contiguous) { reader throws in
            #expect(try shown(reader).count == 5 && reader.missing == nil)
        }
    }

    @Test func severalFieldsInOneFileAreRefused() async {
        let one = Self.ome((1, 1, 1), data: "<TiffData IFD='0'/>")
        let image = one.components(separatedBy: "<Image")[1].components(separatedBy: "</Image>")[0]
        let second = image.replacing("IFD='0'", with: "IFD='1'")
        let both = one.replacing("</OME>", with: "<Image" + second + "</Image></OME>")
        await expect(.layout, "2 images", Self.stack(2, both))
    }

    // MARK: Pages that are no frames

    @Test func thumbnailsAndMasksArePassedOver() async throws {
        var builder = Self.stack(6)
        builder.pageOverrides = [
            0: [254: (4, [1])], 2: [254: (4, [4])], 3: [255: (3, [2])], 4: [254: (4, [2])],
            5: [255: (3, [3])],
        ]
        try await read(builder) { reader throws in
            #expect(try shown(reader) == [[2, 0], [5, 1], [6, 2]])
            #expect(reader.pageCount == 6)
        }
        // Where nothing else is there, it is no thumbnail.
        builder.pageOverrides = Dictionary(uniqueKeysWithValues: (0..<6).map { ($0, [254: (4, [1])]) })
        try await read(builder) { reader throws in #expect(try shown(reader).count == 6) }
    }

    // MARK: Files that grow

    @Test func whatIsThereIsToldFromWhatIsNot() async throws {
        var bytes = Self.stack(3).bytes()
        try await withTemporaryFolder { folder in
            let url = folder.appending(path: "stack.tif")
            // Without its last bytes the last directory is not there.
            try Data(bytes.dropLast(20)).write(to: url)
            guard case .partial(let frames, let reason) = try TIFFStructure.check(path: url.path) else {
                Issue.record("a cut stack passes as whole")
                return
            }
            #expect(frames == 2 && reason.contains("ends behind the end of the file"))
            let digests = try [0, 1].map { try TIFFReader(path: url.path).storedDigest(page: $0) }
            #expect(digests[0] != digests[1])
            // The pages are known again when the file has grown.
            try Data(bytes).write(to: url)
            #expect(try TIFFStructure.check(path: url.path) == .whole)
            #expect(try [0, 1].map { try TIFFReader(path: url.path).storedDigest(page: $0) } == digests)
            // Room was made for the last page.
            let last = try #require(bytes.firstIndex(of: 3, count: 200))
            bytes.replaceSubrange(last..<last + 200, with: repeatElement(0, count: 200))
            try Data(bytes).write(to: url)
            guard case .partial(2, let blank) = try TIFFStructure.check(path: url.path) else {
                Issue.record("room passes as pixels")
                return
            }
            #expect(blank.contains("page 2 are all 0"))
            // A black page before others is one.
            let second = try #require(bytes.firstIndex(of: 2, count: 200))
            bytes.replaceSubrange(second..<second + 200, with: repeatElement(0, count: 200))
            bytes[last + 7] = 1
            try Data(bytes).write(to: url)
            #expect(try TIFFStructure.check(path: url.path) == .whole)
        }
    }

    @Test func aDirectoryOfZerosHasNotBeenWritten() async throws {
        var bytes = Self.stack(2).bytes()
        let link = try #require(bytes.firstIndex(of: 2, count: 200)) - 4
        try await withTemporaryFolder { folder in
            let url = folder.appending(path: "stack.tif")
            let target = bytes.count + 1000
            for index in 0..<4 { bytes[link + index] = UInt8(target >> (8 * index) & 255) }
            try Data(bytes + [UInt8](repeating: 0, count: 5000)).write(to: url)
            let reader = try TIFFReader(path: url.path)
            #expect(try shown(reader) == [[1, 0]])
            #expect(reader.missing?.error.detail.contains("has not been written yet") == true)
            #expect(reader.missing?.error.isRetriable == true)
        }
    }
}

extension [UInt8] {
    /// Where so many bytes of a value begin.
    fileprivate func firstIndex(of value: UInt8, count: Int) -> Int? {
        indices.dropLast(count).first { self[$0..<$0 + count].allSatisfy { $0 == value } }
    }
}
