import Dispatch
import Foundation
import Frames
import Plate
import Synchronization

/// A set of simulated frames in the published layout: `train/`, `test/`, `test/mask/` and lists in `splits/`.
public struct LabelledSet: Sendable {
    private let composition: SetComposition
    private let microscope: Microscope
    private let items: [SetItem]

    /// Plans a set; throws if there is no such composition.
    public init(_ composition: SetComposition, settings: Microscope.Settings) throws(SimulationError) {
        if let fault = composition.fault { throw SimulationError(fault) }
        self.composition = composition
        microscope = Microscope(settings)
        items = SetItem.all(composition, seed: settings.seed)
    }

    /// Frames that the set will have.
    public var count: Int { items.count }

    /// Makes the frames, on all cores, and then the lists.
    ///
    /// Throws if the folder has anything in it already or cannot be written. The same settings give the same bytes.
    public func write(
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
            for name in ["train", "test/mask", "splits"] {
                try files.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
            }
        } catch {
            throw SimulationError("\(folder): cannot be made (\(error.localizedDescription)); check the path")
        }
    }

    private func write(_ item: SetItem, to folder: String) throws(SimulationError) {
        var scene = microscope.scene(
            of: item.well,
            plate: item.plate,
            variety: item.variety,
            faults: item.fault.map { [$0] } ?? []
        )
        let simulated = scene.frame(item.index)
        let side = Double("\(Microscope.pixelSize)") ?? Double(Microscope.pixelSize)
        let pixelSize = PixelSize(x: side, y: side)
        do {
            try TIFFWriter.write(simulated.frame, to: "\(folder)/\(item.path)", pixelSize: pixelSize)
            if let maskPath = item.maskPath {
                try TIFFWriter.write(simulated.mask, to: "\(folder)/\(maskPath)", pixelSize: pixelSize)
            }
        } catch { throw SimulationError("\(error)") }
    }

    private static func write(_ rows: [String], to path: String) throws(SimulationError) {
        do {
            try Data((rows.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: path))
        } catch { throw SimulationError("\(path): cannot be written (\(error.localizedDescription))") }
    }
}
