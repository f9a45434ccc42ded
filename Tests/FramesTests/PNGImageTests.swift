import Foundation
import Frames
import TestSupport
import Testing

struct PNGImageTests {
    @Test func greyComesBack() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "image.png").path
            let image = PNGImage(
                height: 9,
                width: 31,
                colour: .grey,
                bytes: (0..<279).map { UInt8($0 % 256) }
            )
            try image.write(to: path)
            #expect(try PNGImage(path: path) == image)
            let limited = #expect(throws: PNGError.self) { try PNGImage(path: path, maximumPixels: 278) }
            #expect(limited?.code == .unsupported)
        }
    }

    @Test func colourIsWrittenAndNotReadAsGrey() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "image.png").path
            let image = PNGImage(height: 2, width: 2, colour: .rgb, bytes: (0..<12).map { UInt8($0 * 20) })
            #expect(try image.encoded().starts(with: [0x89, 0x50, 0x4E, 0x47]))
            try image.write(to: path)
            let error = #expect(throws: PNGError.self) { try PNGImage(path: path) }
            #expect(error?.code == .unsupported)
        }
    }

    @Test func damageAndMissingPlacesAreErrors() async throws {
        try await withTemporaryFolder { folder in
            let url = folder.appending(path: "image.png")
            let image = PNGImage(
                height: 40,
                width: 40,
                colour: .grey,
                bytes: (0..<1600).map { UInt8($0 * 7 % 256) }
            )
            let file = try image.encoded()
            for length in stride(from: 0, to: file.count - 12, by: 9) {
                try Data(file[..<length]).write(to: url)
                let error = #expect(throws: PNGError.self) { try PNGImage(path: url.path) }
                #expect(error?.code == .cannotRead)
            }
            let missing = #expect(throws: PNGError.self) { try image.write(to: "/nonexistent/image.png") }
            #expect(
                missing?.code == .cannotWrite && missing?.detail.contains("No such file or directory") == true
            )
            #expect(missing?.description.hasSuffix(".") == true)
        }
    }
}
