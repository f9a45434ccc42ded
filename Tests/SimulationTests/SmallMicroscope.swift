import Plate
import Simulation
import Synchronization

/// A small field, quick enough for debug builds.
enum SmallMicroscope {
    static let wells = (1...6).compactMap { Well(row: 0, column: $0) }

    /// Frames of 160 x 128.
    static func make(seed: UInt64 = 7, jpegQuality: Float? = nil) -> Microscope {
        Microscope(Microscope.Settings(seed: seed, height: 128, width: 160, jpegQuality: jpegQuality))
    }

    /// A number that changes with any pixel (FNV-1a, 64 bits).
    static func digest(_ frame: Frame) -> UInt64 {
        frame.pixels.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    /// Sum of the absolute differences of two frames, in grey units.
    static func difference(_ first: Frame, _ second: Frame) -> Float {
        zip(first.pixels, second.pixels).reduce(0) { $0 + abs($1.0 - $1.1) }
    }
}

/// Counts on any thread.
final class Counter: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .acquiring) }
    func add() { count.add(1, ordering: .acquiringAndReleasing) }
}
