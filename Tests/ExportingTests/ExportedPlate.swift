import Foundation
import Frames
import Ledger
import Plate
import Reporting
import Testing

/// A watched folder with real files and an output folder with their records, as the daemon leaves them.
struct ExportedPlate {
    let watched: URL
    let tree: OutputTree
    let ledger: FrameLedger

    /// Rows and columns of the frames: odd, and more than one size of the pyramid.
    static let size = (height: 301, width: 520)
    /// Where the region of a mask lies.
    static let region = PixelRectangle(x: 100, y: 50, width: 40, height: 20)

    init(in folder: URL) throws {
        watched = folder.appending(path: "plate")
        tree = OutputTree(root: folder.appending(path: "out").path)
        try FileManager.default.createDirectory(at: watched, withIntermediateDirectories: true)
        try tree.prepare()
        ledger = try FrameLedger(path: tree.ledger)
    }

    /// A frame of 16 bit with its record, and with its mask where it is faulty.
    func judge(_ well: String, _ index: Int, faulty: Bool = false, written second: Int64 = 0) throws {
        let name = "01_\(well)_f\(index)"
        let frame = Frame(
            height: Self.size.height,
            width: Self.size.width,
            pixels: (0..<Self.size.height * Self.size.width).map { Float(1000 + ($0 + index) % 7) }
        )
        let path = watched.appending(path: name + ".tiff").path
        try TIFFWriter.write(frame, to: path, type: .uint16, pixelSize: PixelSize(x: 0.5, y: 0.5))
        if faulty {
            try Sidecars(tree: tree, writeMask: Sidecars.writeTIFF).write(
                Self.mask,
                pixelSize: PixelSize(x: 0.5, y: 0.5),
                run: "01",
                name: name,
                regionsOf: RegionVerdict(.airBubble, confidence: 0.75, severity: 4.5, score: 0.25)
            )
        }
        try ledger.record([
            try record(well, index, faulty, FrameSource(root: watched.path, path: name + ".tiff"), second)
        ])
    }

    static var mask: Mask {
        let values = (0..<size.height * size.width).map { pixel -> UInt8 in
            let (y, x) = (pixel / size.width, pixel % size.width)
            return (region.y..<region.y + region.height).contains(y)
                && (region.x..<region.x + region.width).contains(x) ? 1 : 0
        }
        return Mask(height: size.height, width: size.width, values: values)
    }

    private func record(
        _ well: String,
        _ index: Int,
        _ faulty: Bool,
        _ source: FrameSource,
        _ second: Int64
    ) throws -> FrameRecord {
        var judgement = Judgement(
            verdict: faulty ? .faulty : .normal,
            severity: faulty ? 4.5 : 1.5,
            threshold: 3,
            suspectLimit: 2,
            scores: ImageScores(maximum: 0.9, mean: 0.1, patch: 0.25),
            score: 0.25,
            cause: faulty ? ProbableCause(.airBubble, confidence: 0.75) : .unknown,
            area: 0,
            boundingBox: nil,
            width: Self.size.width,
            height: Self.size.height
        )
        judgement.precision = "int8"
        judgement.wellIsFaulty = faulty
        judgement.maskPath = faulty ? Sidecars.maskPath(name: "01_\(well)_f\(index)") : nil
        let moment = Timestamp(nanoseconds: (1_795_000_000 + second) * 1_000_000_000)
        return FrameRecord(
            source: FrameSource(
                root: source.root,
                path: source.path,
                identity: FileIdentity(inode: 1, size: 1, modified: moment)
            ),
            frame: FrameID(run: "01", well: try #require(Well(well)), index: index),
            outcome: .judged(judgement),
            model: "3f9ac2d41b7e",
            completed: moment,
            judged: moment
        )
    }
}

/// A document of JSON in a file.
func json(_ path: String) throws -> [String: Any] {
    let data = try Data(contentsOf: URL(filePath: path))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
}

/// What a command prints that is given these bytes.
func output(of command: String, _ input: [UInt8] = []) throws -> [UInt8] {
    let process = Process()
    let (incoming, outgoing) = (Pipe(), Pipe())
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", command]
    (process.standardInput, process.standardOutput) = (incoming, outgoing)
    try process.run()
    try incoming.fileHandleForWriting.write(contentsOf: Data(input))
    try incoming.fileHandleForWriting.close()
    let data = try outgoing.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return Array(data)
}
