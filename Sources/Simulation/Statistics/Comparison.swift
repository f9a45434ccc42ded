import Dispatch
import Faults
package import Frames
import Mathematics
import Plate
import Randomness
import Synchronization

/// Real and simulated frames side by side: a sheet of pictures, its key, and a table of statistics.
package struct Comparison: Sendable {
    private struct Tile {
        let label: String
        let pixels: [UInt8]
    }

    /// Columns and rows of a tile, in pixels.
    private static let tile = (width: 256, height: 160)
    private static let columns = 6
    /// Wells whose typical frames the table summarises.
    private static let wells = 12

    private let real: RealFrames
    private let microscope: Microscope
    private let seed: UInt64

    /// Reads the real frames from a folder with `complexeye/` and `hsc_brightfield/`; throws if one is missing.
    package init(data folder: String, seed: UInt64) throws(SimulationError) {
        real = try RealFrames(folder: folder)
        microscope = Microscope(Microscope.Settings(seed: seed))
        self.seed = seed
    }

    /// The sheet with its tiles shuffled, and a line that names each tile, row by row.
    package func sheet() -> (image: PNGImage, key: [String]) {
        var tiles = realTiles() + simulatedTiles()
        var random = SplitMix64(seed: seed, 0x5EE7)
        for last in stride(from: tiles.count - 1, to: 0, by: -1) {
            tiles.swapAt(last, random.drawCount(0...last))
        }
        let gap = 4
        let rows = (tiles.count + Self.columns - 1) / Self.columns
        let width = Self.columns * (Self.tile.width + gap) + gap
        let height = rows * (Self.tile.height + gap) + gap
        var bytes = [UInt8](repeating: 255, count: width * height)
        for (index, tile) in tiles.enumerated() {
            let top = gap + index / Self.columns * (Self.tile.height + gap)
            let left = gap + index % Self.columns * (Self.tile.width + gap)
            for row in 0..<Self.tile.height {
                let start = (top + row) * width + left
                let line = tile.pixels[row * Self.tile.width..<(row + 1) * Self.tile.width]
                bytes.replaceSubrange(start..<start + Self.tile.width, with: line)
            }
        }
        let key = tiles.enumerated().map { index, tile in
            "row \(index / Self.columns + 1), column \(index % Self.columns + 1): \(tile.label)"
        }
        return (PNGImage(height: height, width: width, colour: .grey, bytes: bytes), key)
    }

    /// Statistics of real frames, and of simulated ones as tenth, fiftieth and ninetieth percentile, in Markdown.
    package func table() -> String {
        let found = Mutex([Int: (statistics: FrameStatistics, correlation: Float)]())
        DispatchQueue.concurrentPerform(iterations: Self.wells) { index in
            var scene = microscope.scene(of: Self.well(index))
            let frames = [scene.frame(0).frame, scene.frame(1).frame]
            let result = (FrameStatistics(frames[0]), FrameStatistics.correlation(frames[0], frames[1]))
            found.withLock { $0[index] = result }
        }
        let simulated = found.withLock { results in (0..<Self.wells).compactMap { results[$0] } }
        let samples = [real.normal, real.bubble, real.stemCells[0], real.movie[0]].map {
            FrameStatistics($0).columns
        }
        let pairs = zip(real.movie, real.movie.dropFirst()).map { FrameStatistics.correlation($0, $1) }
        let following: [Float?] = [
            nil, nil, FrameStatistics.correlation(real.stemCells[0], real.stemCells[1]),
            pairs.reduce(0, +) / Float(max(pairs.count, 1)),
        ]
        var lines = [
            "| | real: normal | real: bubble | real: stem cells | real: movie | simulated: 10 % | 50 % | 90 % |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for (row, name) in FrameStatistics.names.enumerated() {
            let spread = Self.spread(simulated.map { $0.statistics.columns[row] })
            lines.append(Self.line(name, samples.map { $0[row] } + spread))
        }
        lines.append(
            Self.line(
                "correlation with the next frame",
                following + Self.spread(simulated.map(\.correlation))
            )
        )
        return lines.joined(separator: "\n")
    }

    private static func spread(_ values: [Float]) -> [Float] {
        values.quantiles([0.1, 0.5, 0.9])
    }

    private static func line(_ name: String, _ values: [Float?]) -> String {
        let cells = values.map { value in
            guard let value else { return "" }
            let hundredths = Int((abs(value) * 100).rounded())
            let digits = "\(100 + hundredths % 100)".dropFirst()
            return "\(value < 0 && hundredths > 0 ? "-" : "")\(hundredths / 100).\(digits)"
        }
        return "| \(name) | \(cells.joined(separator: " | ")) |"
    }

    private static func well(_ index: Int) -> Well {
        guard let well = Well(row: index / 12, column: index % 12 + 1) else {
            preconditionFailure("no well \(index)")
        }
        return well
    }

    private func realTiles() -> [Tile] {
        [
            whole(real.normal, "real, normal, whole frame"),
            part(real.normal, row: 250, column: 60, "real, normal, part"),
            part(real.normal, row: 600, column: 1000, "real, normal, part past focus"),
            part(real.normal, row: 20, column: 400, "real, normal, part"),
            whole(real.bubble, "real, air bubble, whole frame"),
            part(real.bubble, row: 300, column: 100, "real, polarised cells, part"),
            part(real.bubble, row: 270, column: 420, "real, polarised cells, part"),
            part(real.bubble, row: 560, column: 1020, "real, air bubble, part"),
            part(real.stemCells[0], row: 300, column: 500, "real, stem cells, part"),
            whole(real.stemCells[0], "real, stem cells, whole frame"),
        ]
    }

    private func simulatedTiles() -> [Tile] {
        var tiles: [Tile] = []
        for (index, variety) in Specimen.Variety.allCases.enumerated() {
            var scene = microscope.scene(of: Self.well(24 + index), variety: variety)
            let frame = scene.frame(20).frame
            tiles.append(whole(frame, "simulated, normal (\(variety.rawValue)), whole frame"))
            guard variety != .empty else { continue }
            tiles.append(part(frame, row: 320, column: 500, "simulated, normal (\(variety.rawValue)), part"))
        }
        for (index, form) in FaultForm.allCases.enumerated() {
            let fault = Fault(form: form, strength: 0.55, seed: seed &+ UInt64(index))
            var scene = microscope.scene(of: Self.well(48 + index), faults: [fault])
            tiles.append(
                whole(
                    scene.frame(5).frame,
                    "simulated, \(form.kind.rawValue) (\(form.rawValue)), whole frame"
                )
            )
        }
        return tiles
    }

    /// A whole frame; each pixel of the tile is a mean of the frame's pixels there.
    private func whole(_ frame: Frame, _ label: String) -> Tile {
        let side = frame.width / Self.tile.width
        let pixels = (0..<Self.tile.width * Self.tile.height).map { index in
            let (row, column) = (index / Self.tile.width * side, index % Self.tile.width * side)
            var sum: Float = 0
            for down in 0..<side {
                for right in 0..<side { sum += frame[min(row + down, frame.height - 1), column + right] }
            }
            return UInt8(sum / Float(side * side))
        }
        return Tile(label: label, pixels: pixels)
    }

    /// A part at full resolution.
    private func part(_ frame: Frame, row: Int, column: Int, _ label: String) -> Tile {
        let (top, left) = (
            min(row, frame.height - Self.tile.height), min(column, frame.width - Self.tile.width)
        )
        let pixels = (0..<Self.tile.width * Self.tile.height).map { index in
            UInt8(frame[top + index / Self.tile.width, left + index % Self.tile.width])
        }
        return Tile(label: label, pixels: pixels)
    }
}

/// The real frames that simulated ones are compared with, from the folder of real data.
struct RealFrames {
    /// A normal ComplexEye frame.
    let normal: Frame
    /// A ComplexEye frame with an air bubble.
    let bubble: Frame
    /// A short movie of migrating neutrophils.
    let movie: [Frame]
    /// Consecutive brightfield frames of blood stem cells.
    let stemCells: [Frame]

    init(folder: String) throws(SimulationError) {
        normal = try Self.read("\(folder)/complexeye/01_A1_f300.tiff")[0]
        bubble = try Self.read("\(folder)/complexeye/01_B1_f100.tiff")[0]
        movie = try Self.read("\(folder)/complexeye/movie_11x190x250.tiff")
        stemCells =
            try Self.read("\(folder)/hsc_brightfield/hsc_f000.tiff")
            + Self.read("\(folder)/hsc_brightfield/hsc_f001.tiff")
    }

    private static func read(_ path: String) throws(SimulationError) -> [Frame] {
        do throws(TIFFError) {
            let reader = try TIFFReader(path: path)
            var frames: [Frame] = []
            for point in reader.frames { frames.append(try reader.frame(page: point.page)) }
            return frames
        } catch {
            throw SimulationError("\(error); --data names the folder with complexeye/ and hsc_brightfield/")
        }
    }
}
