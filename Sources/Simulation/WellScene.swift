package import Faults
import Mathematics
package import Plate
import Randomness

/// The microscope's view of one well, frame by frame.
///
/// Any frame can be asked for at any time, and it is always the same. The next frame is cheap; an earlier one starts the
/// cells' walk again. A copy does not change with the original.
package struct WellScene: Sendable {
    /// The well.
    package let well: Well
    /// The cells in it and how the microscope sees them.
    package let specimen: Specimen
    /// The faults that come and go.
    package var faults: [Fault]

    private let settings: Microscope.Settings
    private let lens: Lens
    private let seed: UInt64
    private let light: Field
    private var cells: CellPopulation
    private var position = 0

    init(
        well: Well,
        specimen: Specimen,
        faults: [Fault],
        settings: Microscope.Settings,
        lens: Lens,
        seed: UInt64
    ) {
        (self.well, self.specimen, self.faults) = (well, specimen, faults)
        (self.settings, self.lens, self.seed) = (settings, lens, seed)
        light = Illumination.field(height: settings.height, width: settings.width, seed: seed)
        cells = Self.population(specimen, settings, seed)
    }

    private static func population(
        _ specimen: Specimen,
        _ settings: Microscope.Settings,
        _ seed: UInt64
    ) -> CellPopulation {
        CellPopulation(
            specimen,
            height: settings.height,
            width: settings.width,
            pixelSize: Microscope.pixelSize,
            interval: settings.interval,
            seed: seed
        )
    }

    /// The frame at a position in time, counted from 0; below 0 is a programmer's mistake.
    package mutating func frame(_ index: Int) -> LabelledFrame {
        precondition(index >= 0, "there is no frame \(index)")
        if index < position {
            cells = Self.population(specimen, settings, seed)
            position = 0
        }
        while position < index {
            cells.step()
            position += 1
        }
        let active = faults.filter { $0.isActive(at: index) }
        var mask = Mask(
            height: settings.height,
            width: settings.width,
            values: [UInt8](repeating: 0, count: settings.height * settings.width)
        )
        var frame = background(at: index)
        paintCells(on: &frame, mask: &mask, defocus: active.reduce(0) { $0 + $1.defocus })
        for fault in active { apply(fault, at: index, to: &frame, mask: &mask) }
        let noise = SplitMix64(seed: seed, 0x2015E, UInt64(index)).state
        Camera.record(&frame, quality: settings.jpegQuality, seed: noise)
        return LabelledFrame(frame: frame, mask: mask, faults: active)
    }

    /// The lamp's light through the empty well: its level drifts slowly and flickers.
    private func background(at index: Int) -> Frame {
        var random = SplitMix64(seed: seed, 0x1A3B)
        let phase = random.draw(0...2 * Arithmetic.pi)
        let period = random.draw(300...900)
        let drift = 0.015 * Arithmetic.sineCosine(phase + 2 * Arithmetic.pi * Float(index) / period).sine
        var flicker = SplitMix64(seed: seed, 0xF11C, UInt64(index))
        let level = specimen.level * (1 + drift + 0.004 * flicker.drawGaussian())
        return Frame(
            height: settings.height,
            width: settings.width,
            pixels: light.times(lens.transmission, level: level)
        )
    }

    /// Marks the cells if the focus is shifted.
    private func paintCells(on frame: inout Frame, mask: inout Mask, defocus: Float) {
        var painter = CellPainter(pixelSize: Microscope.pixelSize)
        for cell in cells.cells {
            let x = cell.column / Float(settings.width) - 0.5
            let y = cell.row / Float(settings.height) - 0.5
            let tilt = specimen.tilt.x * x + specimen.tilt.y * y
            painter.paint(
                cell,
                defocus: specimen.focus + tilt + cell.depth + defocus,
                slant: (0.25 * x, 0.25 * y),
                on: &frame,
                mask: &mask,
                marks: defocus != 0
            )
        }
    }

    private func apply(_ fault: Fault, at index: Int, to frame: inout Frame, mask: inout Mask) {
        guard let canvas = fault.image(height: settings.height, width: settings.width, at: index) else {
            return
        }
        canvas.multiply(&frame)
        canvas.mark(&mask)
    }
}
