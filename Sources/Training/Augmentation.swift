import Diffusion
import Faults
import Foundation
import Frames
import Plate
import Randomness

/// Changes that leave a normal frame normal: what lamps, wells, cells and cameras vary from plate to plate.
///
/// A model sees them in training and in calibration, so that it does not take the variety of normal frames for faults:
/// orientation, density, dark and bright cells, the bright ring of the well's wall, uneven light, brightness and contrast
/// within what a lamp does, slight defocus, grain, and the 8 x 8 blocks of a JPEG camera.
struct Augmentation: Sendable {
    private let background: Float
    /// How far normal cells reach from it, in grey units.
    private let reach: Float
    /// The largest shift of the focus, in um.
    private let slack: Float

    /// Slack of a focus as an instrument keeps it, in um; more would be a fault to a calibration.
    static let usualSlack: Float = 5.5

    /// Changes relative to a normal set's own grey scale, with a focus of up to `slack` um off.
    init(normalisation: Normalisation, slack: Float = 13.5) {
        self.slack = slack
        background = normalisation.background
        reach = normalisation.reach
    }

    /// A changed copy of a frame; `other`, of the same size, lends cells for a denser one.
    func applied(to frame: Frame, lending other: Frame?, using random: inout SplitMix64) -> Frame {
        var result = frame
        if let other, random.nextUniform() < 0.25 { overlay(other, on: &result) }
        if random.nextUniform() < 0.6 { changeContrast(&result, using: &random) }
        if random.nextUniform() < 0.4 {
            let optics = Defocus(shift: slack * random.nextUniform(), phase: random.nextSigned())
            result = optics.applied(to: result)
        }
        if random.nextUniform() < 0.7 { changeLight(&result, using: &random) }
        if random.nextUniform() < 0.4 { addRing(&result, using: &random) }
        if random.nextUniform() < 0.4 { addGrain(&result, using: &random) }
        if random.nextUniform() < 0.4 {
            // Cells of an 8-bit camera reach about 50 levels from the background.
            JPEGBlocks.apply(to: &result, quality: 60 + 35 * random.nextUniform(), level: reach / 50)
        }
        return result
    }

    /// A copy that differs as frames of one microscope do from well to well: mirrored, a lamp 12 % off, contrast 15 %, little grain, and a
    /// focus within its slack.
    func slightlyChanged(_ frame: Frame, using random: inout SplitMix64) -> Frame {
        var result = frame
        let optics = Defocus(shift: slack * random.nextUniform(), phase: random.nextSigned())
        if random.nextUniform() < 0.5 { result = optics.applied(to: result) }
        let (gain, level) = (1 + 0.15 * random.nextSigned(), 1 + 0.12 * random.nextSigned())
        let deviation = 0.02 * reach * random.nextUniform()
        for index in result.pixels.indices {
            let grey = background + gain * (result.pixels[index] - background)
            result.pixels[index] = level * grey + deviation * random.nextGaussian()
        }
        return result
    }

    /// Keeps the stronger of the two deviations from the background: two layers of cells.
    private func overlay(_ other: Frame, on frame: inout Frame) {
        for index in frame.pixels.indices {
            let (own, lent) = (frame.pixels[index] - background, other.pixels[index] - background)
            if abs(lent) > abs(own) { frame.pixels[index] = background + lent }
        }
    }

    /// Contrast from half to two and a half; one time in two with dark and bright exchanged, as across focus.
    private func changeContrast(_ frame: inout Frame, using random: inout SplitMix64) {
        let sign: Float = random.nextUniform() < 0.5 ? -1 : 1
        let gain = sign * 0.5 * pow(5, random.nextUniform())
        for index in frame.pixels.indices {
            frame.pixels[index] = background + gain * (frame.pixels[index] - background)
        }
    }

    /// A lamp a quarter darker to two fifths brighter, and a linear and a quadratic unevenness of up to a tenth.
    private func changeLight(_ frame: inout Frame, using random: inout SplitMix64) {
        let level = 0.75 + 0.65 * random.nextUniform()
        let tilt = (random.nextSigned() * 0.08, random.nextSigned() * 0.08)
        let bowl = random.nextSigned() * 0.08
        for row in 0..<frame.height {
            let y = 2 * Float(row) / Float(frame.height) - 1
            for column in 0..<frame.width {
                let x = 2 * Float(column) / Float(frame.width) - 1
                frame[row, column] *= level * (1 + tilt.0 * x + tilt.1 * y + bowl * (x * x + y * y))
            }
        }
    }

    /// Part of a large soft circle, brighter outside, as light that the well's wall sends back.
    private func addRing(_ frame: inout Frame, using random: inout SplitMix64) {
        let size = Float(max(frame.height, frame.width))
        let radius = size * (0.5 + 1.5 * random.nextUniform())
        let angle = 2 * .pi * random.nextUniform()
        let distance = radius + size * 0.7 * random.nextSigned()
        let centre = (
            Float(frame.height) / 2 + distance * sin(angle), Float(frame.width) / 2 + distance * cos(angle)
        )
        let softness = size * (0.02 + 0.1 * random.nextUniform())
        let height = background * 0.3 * random.nextUniform()
        for row in 0..<frame.height {
            for column in 0..<frame.width {
                let far = hypot(Float(row) - centre.0, Float(column) - centre.1) - radius
                frame[row, column] += height / (1 + exp(-far / softness))
            }
        }
    }

    private func addGrain(_ frame: inout Frame, using random: inout SplitMix64) {
        let deviation = 0.035 * reach * random.nextUniform()
        for index in frame.pixels.indices { frame.pixels[index] += deviation * random.nextGaussian() }
    }
}

extension SplitMix64 {
    mutating func nextSigned() -> Float { 2 * nextUniform() - 1 }
}
