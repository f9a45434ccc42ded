import Foundation
import Frames
import Plate
import TestSupport
import Testing

struct TIFFWriterTests {
    static let frame = Frame(height: 300, width: 1111, pixels: (0..<333_300).map { Float($0 % 256) })

    @Test(arguments: TIFFWriter.SampleType.allCases, TIFFWriter.Compression.allCases)
    func framesComeBack(type: TIFFWriter.SampleType, compression: TIFFWriter.Compression) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "frame.tif").path
            try TIFFWriter.write(Self.frame, to: path, type: type, compression: compression)
            try TIFFStructure.check(path: path)
            let reader = try TIFFReader(path: path)
            #expect(reader.pageCount == 1 && reader.pixelSize == nil && reader.timeInterval == nil)
            #expect(try reader.frame(page: 0) == Self.frame)
        }
    }

    @Test func valuesAreRoundedAndCutToTheirType() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "frame.tif").path
            let frame = Frame(height: 2, width: 3, pixels: [-4, 0.4, 254.6, 300, .nan, 70_000])
            try TIFFWriter.write(frame, to: path)
            #expect(try TIFFReader(path: path).frame(page: 0).pixels == [0, 0, 255, 255, 0, 255])
            try TIFFWriter.write(frame, to: path, type: .uint16)
            #expect(try TIFFReader(path: path).frame(page: 0).pixels == [0, 0, 255, 300, 0, 65_535])
            let halves = Frame(height: 1, width: 4, pixels: [0.5, 1.5, Float(0.5).nextDown, 253.5])
            try TIFFWriter.write(halves, to: path)
            #expect(try TIFFReader(path: path).frame(page: 0).pixels == [1, 2, 0, 254])
        }
    }

    @Test func moviesKeepTheirPagesSpaceAndTime() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "movie.tif").path
            let size = PixelSize(x: 0.345, y: 0.35)
            let frames = (0..<4).map { page in
                Frame(height: 3, width: 5, pixels: .init(repeating: Float(page), count: 15))
            }
            let writer = try TIFFWriter(
                path: path,
                height: 3,
                width: 5,
                pages: 4,
                pixelSize: size,
                timeInterval: 8
            )
            for frame in frames { try writer.append(frame) }
            let reader = try TIFFReader(path: path)
            #expect(reader.pageCount == 4)
            #expect(reader.pixelSize == size && reader.timeInterval == 8)
            #expect(try (0..<4).map { page in try reader.frame(page: page) } == frames)
        }
    }

    @Test func masksAreBlackAndWhite() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "mask.tif").path
            let mask = Mask(height: 2, width: 3, values: [0, 1, 0, 1, 1, 0])
            try TIFFWriter.write(mask, to: path, pixelSize: PixelSize(x: 1, y: 1))
            let reader = try TIFFReader(path: path)
            #expect(try reader.frame(page: 0).pixels == [0, 255, 0, 255, 255, 0])
            #expect(reader.pixelSize == PixelSize(x: 1, y: 1))
        }
    }

    @Test func theSameFrameGivesTheSameBytes() async throws {
        try await withTemporaryFolder { folder in
            let urls = ["a.tif", "b.tif"].map { folder.appending(path: $0) }
            for url in urls { try TIFFWriter.write(Self.frame, to: url.path, timeInterval: 2) }
            #expect(try Data(contentsOf: urls[0]) == Data(contentsOf: urls[1]))
        }
    }

    @Test func placesThatCannotBeWrittenAreErrors() throws {
        let missing = #expect(throws: TIFFError.self) {
            try TIFFWriter.write(Self.frame, to: "/nonexistent/frame.tif")
        }
        #expect(missing?.code == .cannotWrite && missing?.errno == ENOENT)
        let full = #expect(throws: TIFFError.self) { try TIFFWriter.write(Self.frame, to: "/dev/full") }
        #expect(full?.code == .cannotWrite)
    }
}
