import Faults
import Randomness

/// The cells in a well and the microscope's view of them, all of it normal.
package struct Specimen: Sendable, Equatable {
    /// Kinds of normal specimens.
    package enum Variety: String, Sendable, CaseIterable {
        /// Some 60 to 250 cells in a field of 1280 x 800.
        case typical
        /// Several times as many.
        case dense
        /// Cells in clumps.
        case clumped
        /// Many dead cells.
        case dying
        /// Hardly a cell.
        case empty
        /// Nearly all cells polarised and on their way.
        case polarised
    }

    /// Cells in a field of 1280 x 800.
    package var density: Float
    /// Share of polarised and spread cells, in [0, 1].
    package var polarised: Float
    /// Share of dead cells, in [0, 1].
    package var dead: Float
    /// Share of cells beside another one, in [0, 1].
    package var clumping: Float
    /// Mean diameter of a cell, in um.
    package var diameter: Float
    /// Defocus at the field's centre, in um; below 0 cells are dark with a bright halo, above bright with a dark rim.
    package var focus: Float
    /// Change of the defocus from the field's left to its right and from its top to its bottom, in um.
    package var tilt: (x: Float, y: Float)
    /// Grey value of the background.
    package var level: Float

    /// Draws a specimen of a variety.
    package init(_ variety: Variety, seed: UInt64) {
        var random = SplitMix64(seed: seed, 0x5EC1)
        density = random.draw(70...220)
        polarised = random.chance(0.5) ? random.draw(0.05...0.3) : random.draw(0.3...0.8)
        dead = random.draw(0...0.05)
        clumping = random.draw(0.1...0.3)
        diameter = random.draw(10.4...12.4)
        focus = random.chance(0.65) ? random.draw(-8 ... -4.5) : random.draw(12...22)
        let direction = random.drawDirection()
        let slope = random.draw(0...32) * random.nextUniform()
        tilt = (slope * direction.cosine, slope * direction.sine)
        level = random.draw(84...122)
        switch variety {
        case .typical: break
        case .dense: density = random.draw(380...650)
        case .clumped: clumping = random.draw(0.6...0.85)
        case .dying: dead = random.draw(0.3...0.6)
        case .empty: density = random.draw(0...6)
        case .polarised: polarised = random.draw(0.85...1)
        }
    }

    /// Compares all values.
    package static func == (left: Specimen, right: Specimen) -> Bool {
        left.tilt == right.tilt && left.density == right.density && left.polarised == right.polarised
            && left.dead == right.dead && left.clumping == right.clumping && left.diameter == right.diameter
            && left.focus == right.focus && left.level == right.level
    }
}
