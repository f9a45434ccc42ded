import Foundation
import Frames
import Ledger
import Plate
import Reporting
import TestSupport

/// A watched folder, an output folder, and small real frames to put into the first.
struct TestPlate {
    let folder: URL
    let watched: URL
    let out: URL
    private let normal: Data
    private let faulty: Data

    /// Crops of the example frames: cells, and part of the air bubble.
    init(in folder: URL) throws {
        self.folder = folder
        watched = folder.appending(path: "plate")
        out = folder.appending(path: "out")
        try FileManager.default.createDirectory(at: watched, withIntermediateDirectories: true)
        normal = try Self.crop("01_A1_f300", top: 300, left: 300, in: folder)
        faulty = try Self.crop("01_B1_f100", top: 600, left: 1020, in: folder)
    }

    /// A part of an example frame, as a TIFF file.
    static func crop(
        _ name: String,
        top: Int,
        left: Int,
        height: Int = 192,
        width: Int = 256,
        in folder: URL
    ) throws -> Data {
        let source = packageRoot.appending(path: "examples/frames/\(name).tiff").path
        let frame = try TIFFReader(path: source).frame(page: 0)
        var pixels: [Float] = []
        for row in top..<top + height {
            pixels += frame.pixels[row * frame.width + left..<row * frame.width + left + width]
        }
        let path = folder.appending(path: "crop.tiff")
        try TIFFWriter.write(Frame(height: height, width: width, pixels: pixels), to: path.path)
        return try Data(contentsOf: path)
    }

    var watchArguments: [String] {
        ["watch", "--model", Program.model, "--out", out.path, "--threads", "1", watched.path]
    }

    func data(faulty isFaulty: Bool) -> Data { isFaulty ? faulty : normal }

    /// A frame as a microscope writes it: in one go.
    func add(_ name: String, faulty: Bool = false) throws {
        try data(faulty: faulty).write(to: watched.appending(path: name))
    }

    /// What became of the frames, by state, once the ledger is there.
    func counts() -> [FrameRecord.State: Int] {
        let path = out.appending(path: "ledger.sqlite").path
        guard FileManager.default.fileExists(atPath: path), let ledger = try? FrameLedger(reading: path)
        else {
            return [:]
        }
        return (try? ledger.counts()) ?? [:]
    }

    /// Every row of the ledger.
    func records() throws -> [FrameRecord] {
        var records: [FrameRecord] = []
        try FrameLedger(reading: out.appending(path: "ledger.sqlite").path).forEach { records.append($0) }
        return records
    }

    /// The lines of a well's alarm log.
    func alarms(run: String, well: String) throws -> [String] {
        let path = out.appending(path: "\(run)/alarms/\(well).log")
        guard FileManager.default.fileExists(atPath: path.path) else { return [] }
        return try String(contentsOf: path, encoding: .utf8).split(separator: "\n").map { String($0) }
    }

    /// Names of the files in a folder of the output.
    func names(in path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: out.appending(path: path).path)) ?? [])
            .sorted()
    }
}
