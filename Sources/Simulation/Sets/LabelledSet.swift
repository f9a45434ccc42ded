import Dispatch
import Foundation
import Frames
package import Plate
import Randomness
import Synchronization
import Tables

/// A set of simulated or injected frames in the published layout: `train/`, `test/`, `masks/` and lists in `splits/`.
package struct LabelledSet: Sendable {
    /// Wells tried for a fault to be seen, before it is taken as it is.
    private static let attempts = 32

    private let composition: SetComposition
    private let items: [SetItem]
    private let made: @Sendable (SetItem) throws -> SimulatedFrame

    /// Plans a set of simulated frames; throws if there is no such composition.
    package init(_ composition: SetComposition, settings: Microscope.Settings) throws(SimulationError) {
        if let fault = composition.fault { throw SimulationError(fault) }
        self.composition = composition
        items = SetItem.all(composition, seed: settings.seed)
        let microscope = Microscope(settings)
        made = { Self.simulated($0, by: microscope) }
    }

    /// Plans a set of given normal frames, with faults put on those that are to be faulty; throws if there is no such
    /// composition.
    ///
    /// `normal` gives a normal frame to train or to test with, another one for each seed; it is called from several
    /// threads.
    package init(
        _ composition: SetComposition,
        seed: UInt64,
        onto normal: @escaping @Sendable (_ isTraining: Bool, _ seed: UInt64) throws -> Frame
    ) throws(SimulationError) {
        if let fault = composition.fault { throw SimulationError(fault) }
        self.composition = composition
        items = SetItem.all(composition, seed: seed)
        made = { item in
            let place = (UInt64(item.plate), UInt64(item.well.row * 64 + item.well.column))
            let frame = try normal(item.isTraining, SplitMix64(seed: seed, 0x1A7, place.0, place.1).state)
            if let fault = item.fault { return fault.injected(into: frame) }
            let none = [UInt8](repeating: 0, count: frame.pixels.count)
            let mask = Mask(height: frame.height, width: frame.width, values: none)
            return SimulatedFrame(frame: frame, mask: mask, faults: [])
        }
    }

    /// Frames that the set will have.
    package var count: Int { items.count }

    /// Makes the frames, on all cores, and then the lists.
    ///
    /// Throws if the folder has anything in it already or cannot be written. The same settings give the same bytes.
    package func write(
        to folder: String,
        progress: @Sendable (_ done: Int, _ count: Int) -> Void = { _, _ in }
    ) throws(SimulationError) {
        try Self.prepare(folder)
        let state = Mutex<(done: Int, failure: SimulationError?)>((0, nil))
        DispatchQueue.concurrentPerform(iterations: items.count) { index in
            guard state.withLock({ $0.failure == nil }) else { return }
            do throws(SimulationError) {
                try write(items[index], to: folder)
                state.withLock { state in
                    state.done += 1
                    progress(state.done, items.count)
                }
            } catch { state.withLock { $0.failure = error } }
        }
        if let failure = state.withLock({ $0.failure }) { throw failure }
        for (name, rows) in SetLists.all(items, folds: composition.folds) {
            try Self.write(rows, to: "\(folder)/splits/\(name)")
        }
    }

    private static func prepare(_ folder: String) throws(SimulationError) {
        let files = FileManager.default
        if let found = try? files.contentsOfDirectory(atPath: folder), !found.isEmpty {
            throw SimulationError(
                "\(folder): has \(found.count) entries already; name a new or an empty folder for the set"
            )
        }
        do {
            for name in ["train", "test", "masks", "splits"] {
                try files.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
            }
        } catch {
            throw SimulationError("\(folder): cannot be made (\(error.localizedDescription)); check the path")
        }
    }

    /// A faulty frame shows its fault: a defocused field without cells, say, is drawn anew from another well.
    private static func simulated(_ item: SetItem, by microscope: Microscope) -> SimulatedFrame {
        var attempt = 0
        while true {
            var scene = microscope.scene(
                of: item.well,
                plate: item.plate + 10_000 * attempt,
                variety: item.variety,
                faults: item.fault.map { [$0] } ?? []
            )
            let result = scene.frame(item.index)
            attempt += 1
            if item.fault == nil || result.mask.values.contains(1) || attempt == attempts {
                return result
            }
        }
    }

    private func write(_ item: SetItem, to folder: String) throws(SimulationError) {
        let side = Double("\(Microscope.pixelSize)") ?? Double(Microscope.pixelSize)
        let pixelSize = PixelSize(x: side, y: side)
        do {
            let simulated = try made(item)
            try TIFFWriter.write(simulated.frame, to: "\(folder)/\(item.path)", pixelSize: pixelSize)
            if let maskPath = item.maskPath {
                try TIFFWriter.write(simulated.mask, to: "\(folder)/\(maskPath)", pixelSize: pixelSize)
            }
        } catch { throw SimulationError("\(error)") }
    }

    private static func write(_ rows: [[String]], to path: String) throws(SimulationError) {
        do {
            try Data(CSV.text(rows).utf8).write(to: URL(filePath: path))
        } catch { throw SimulationError("\(path): cannot be written (\(error.localizedDescription))") }
    }
}
