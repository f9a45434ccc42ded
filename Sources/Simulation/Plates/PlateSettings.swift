/// Settings of a simulated plate and of the way it is written.
package struct PlateSettings: Sendable, Equatable {
    /// Wells, in the order in which 16 lenses scan a 384-well plate.
    package var wells: Int
    /// From one frame of a well to the next, in s of the plate's time.
    package var interval: Double
    /// Frames of each well.
    package var frames: Int
    /// Speed as a multiple of real time.
    package var speed: Double
    /// Seed of everything random.
    package var seed: UInt64
    /// Name of the run, for file names.
    package var run: String
    /// The way files are written.
    package var writer: PlateWriter
    /// Which frames go into which files.
    package var layout: PlateLayout
    /// Rows of a frame.
    package var height: Int
    /// Columns of a frame.
    package var width: Int

    /// An hour of a full ComplexEye plate by default.
    package init(
        wells: Int = 64,
        interval: Double = 8,
        frames: Int = 450,
        speed: Double = 1,
        seed: UInt64 = 1,
        run: String = "01",
        writer: PlateWriter = .plain,
        layout: PlateLayout = .flat,
        height: Int = 800,
        width: Int = 1280
    ) {
        (self.wells, self.interval, self.frames, self.speed) = (wells, interval, frames, speed)
        (self.seed, self.run, self.writer, self.layout) = (seed, run, writer, layout)
        (self.height, self.width) = (height, width)
    }

    /// A sentence that says which setting is wrong; `nil` for none.
    package var problem: String? {
        if !(1...ScanOrder.plateSize).contains(wells) {
            return "a plate has 1 to \(ScanOrder.plateSize) wells, not \(wells)"
        }
        if !(0.01...86_400).contains(interval) { return "an interval is 0.01 to 86400 s, not \(interval)" }
        if !(1...1_000_000).contains(frames) { return "a well has 1 to 1000000 frames, not \(frames)" }
        if !(0.001...1_000_000).contains(speed) { return "a speed is 0.001 to 1000000, not \(speed)" }
        let sides = Microscope.smallestSide...8192
        if !sides.contains(height) || !sides.contains(width) {
            return "frames have \(sides.lowerBound) to \(sides.upperBound) rows and columns"
        }
        let isPlain = run.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "._-+".utf8.contains(byte)
            }
        }
        guard isPlain, !run.isEmpty, !run.hasPrefix("."), run.utf8.count <= 100 else {
            return "a run's name is 1 to 100 letters, digits, '.', '_', '-' and '+', and no dot in front"
        }
        return nil
    }

    /// From one frame of a well to the next, in s of real time.
    var scaledInterval: Double { interval / speed }
}

/// The way files are written while a daemon watches.
package enum PlateWriter: String, Sendable, CaseIterable {
    /// Opened, written in one go, closed.
    case plain
    /// Written in pieces with pauses, several files at once.
    case slow
    /// Written under a temporary name, then renamed.
    case rename
    /// All wells of a scan at once, then nothing until the next.
    case burst
}

/// Which frames go into which files.
package enum PlateLayout: String, Sendable, CaseIterable {
    /// `RUN_WELL_fFRAME.tiff`, all in one folder.
    case flat
    /// The same names in a folder for each well, made with its first frame.
    case perWell = "per-well"
    /// `RUN_WELL_f0.tiff`: one file of many pages for each well, closed at the end.
    case movie
}

/// Figures of a played plate.
package struct PlateSummary: Sendable, Equatable {
    /// Frames in closed files.
    package let frames: Int
    /// Those of them that show a fault.
    package let faulty: Int
    /// Frames of the whole plate.
    package let expected: Int
    /// From the first frame's time to the last file's end, in s.
    package let seconds: Double
    /// Frames a second that the settings ask for.
    package let askedRate: Double
    /// Lateness of the latest frame, in s.
    package let greatestLateness: Double
    let scaledInterval: Double

    /// Whether all frames were written, none later than a quarter of the interval or half a second, whichever is more.
    package var heldRate: Bool { frames == expected && greatestLateness <= max(scaledInterval / 4, 0.5) }
    /// Whether it ended before its time.
    package var endedEarly: Bool { frames < expected }
    /// Frames a second that were written.
    package var rate: Double { seconds > 0 ? Double(frames) / seconds : 0 }
}
