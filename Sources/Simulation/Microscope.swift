package import Faults
package import Frames
package import Plate
import Randomness
import Synchronization

/// A ComplexEye made of software: 16 lenses, frames of 1280 x 800 at 0.645 um a pixel, one per well every 8 s.
///
/// Everything follows from the seed: frame k of a well is the same on every machine, in whatever order and on however
/// many threads frames are asked for.
package final class Microscope: Sendable {
    /// Settings of a simulation.
    package struct Settings: Sendable, Equatable {
        /// Seed of everything random.
        package var seed: UInt64
        /// Rows of a frame.
        package var height: Int
        /// Columns of a frame.
        package var width: Int
        /// Quality of the JPEG texture, 50 to 100; `nil` for none.
        package var jpegQuality: Float?
        /// Time from one frame of a well to the next, in s.
        package var interval: Float

        /// ComplexEye's frames by default.
        package init(
            seed: UInt64 = 1,
            height: Int = 800,
            width: Int = 1280,
            jpegQuality: Float? = 82,
            interval: Float = 8
        ) {
            (self.seed, self.height, self.width) = (seed, height, width)
            (self.jpegQuality, self.interval) = (jpegQuality, interval)
        }
    }

    /// Side of a pixel in the sample, in um.
    package static let pixelSize = Defocus.pixelSize
    /// The same for the metadata of files, in um: 0.645 and not its nearest `Float`, as the instrument writes it.
    package static let filedPixelSize: PixelSize = {
        let side = Double("\(pixelSize)") ?? Double(pixelSize)
        return PixelSize(x: side, y: side)
    }()
    /// Frames of fewer rows or columns hold no cell.
    package static let smallestSide = 32

    /// Settings of this simulation.
    package let settings: Settings
    private let lenses = Mutex<[Int: Lens]>([:])

    /// Sets the microscope up; a frame of less than 32 x 32 or an interval that is not above 0 is a programmer's mistake.
    package init(_ settings: Settings = Settings()) {
        precondition(
            min(settings.height, settings.width) >= Self.smallestSide && settings.interval > 0,
            "no microscope makes frames of \(settings.height) x \(settings.width) every \(settings.interval) s"
        )
        self.settings = settings
    }

    /// A well's field of view from its first frame on.
    ///
    /// Without a specimen, one of the variety follows from seed, plate and well. Every plate has the same lenses.
    package func scene(
        of well: Well,
        plate: Int = 0,
        variety: Specimen.Variety = .typical,
        specimen: Specimen? = nil,
        faults: [Fault] = []
    ) -> WellScene {
        let seed = seed(of: well, plate: plate)
        return WellScene(
            well: well,
            specimen: specimen ?? Specimen(variety, seed: seed),
            faults: faults,
            settings: settings,
            lens: lens(of: well),
            seed: seed
        )
    }

    /// Wells tried until a fault shows.
    private static let attempts = 32

    /// A frame for a labelled set, with its mask.
    ///
    /// `striking` numbers the varieties of specimens that are normal but not typical; `nil` is typical. A fault may not
    /// show in a well, such as a change of focus where there are no cells: then another well takes its place.
    package func labelledFrame(
        of well: Well,
        plate: Int,
        at index: Int,
        striking: Int?,
        fault: Fault?
    ) -> LabelledFrame {
        let others = Specimen.Variety.allCases.filter { $0 != .typical }
        var variety = striking.map { others[$0 % others.count] } ?? .typical
        // A change of focus is not visible without cells.
        if fault?.kind == .zShift, variety == .empty { variety = .dense }
        var attempt = 0
        while true {
            var scene = scene(
                of: well,
                plate: plate + 10_000 * attempt,
                variety: variety,
                faults: fault.map { [$0] } ?? []
            )
            let result = scene.frame(index)
            attempt += 1
            if fault == nil || result.mask.values.contains(1) || attempt == Self.attempts { return result }
        }
    }

    /// Seed of everything random in a well.
    package func seed(of well: Well, plate: Int = 0) -> UInt64 {
        var random = SplitMix64(
            seed: settings.seed,
            UInt64(bitPattern: Int64(plate)),
            UInt64(well.row),
            UInt64(well.column)
        )
        return random.next()
    }

    /// Lenses stand in a square of 4 x 4 and move over the plate together.
    private func lens(of well: Well) -> Lens {
        let index = well.row % 4 * 4 + (well.column - 1) % 4
        if let known = lenses.withLock({ $0[index] }) { return known }
        let lens = Lens(
            height: settings.height,
            width: settings.width,
            seed: SplitMix64(seed: settings.seed, 0x1E45, UInt64(index)).state
        )
        return lenses.withLock { lenses in
            if let known = lenses[index] { return known }
            lenses[index] = lens
            return lens
        }
    }
}

/// Why a simulation cannot be done as asked.
package struct SimulationError: Error, Sendable, CustomStringConvertible {
    /// One sentence that says what is wrong and what to do.
    package let description: String

    /// Wraps a sentence.
    package init(_ description: String) { self.description = description }
}
