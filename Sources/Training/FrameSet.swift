package import Detection
package import Diffusion
import Digests
import Faults
import Foundation
import Frames
import Mathematics
package import Plate
import Randomness
import Synchronization

/// Normal frames of one size to draw from; decoded when needed, and kept decoded as long as they fit in memory.
package final class FrameSet: Sendable {
    struct Entry: Sendable, Hashable {
        let path: String
        let page: Int

        static func == (left: Entry, right: Entry) -> Bool {
            ExactPath(left.path) == ExactPath(right.path) && left.page == right.page
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(ExactPath(path))
            hasher.combine(page)
        }
    }

    /// Rows of every frame.
    package let height: Int
    /// Columns of every frame.
    package let width: Int
    /// Files that could not be read, each with the reason.
    package let unreadable: [String]
    /// What was decided on channels and z-planes without being asked, once for each folder and kind of file.
    package let notes: [String]
    private let entries: [Entry]
    private let decoded = Mutex<[Entry: Frame]>([:])
    /// Memory for decoded frames, in bytes.
    private static let memory = 1 << 30

    /// A digest of the frames' names and order, by which a later training recognises them; folders do not count.
    var identity: String {
        let names = entries.map { "\($0.path.split(separator: "/").last ?? "") \($0.page)" }
        return Digest.sha256(Data(names.joined(separator: "\n").utf8))
    }

    /// The files that the frames are in; `nil` where one cannot be read any more.
    package var files: FilesDigest? {
        FilesDigest(of: Set(entries.map { ExactPath($0.path) }).map(\.text))
    }

    /// Throws unless a training that was begun on so many frames of this identity goes on with the same ones.
    func checkSame(asIn checkpoint: String, count: Int, identity: String) throws(DataError) {
        guard count == self.count else {
            throw DataError(
                "\(checkpoint) was trained on \(count) frames, now there are \(self.count); "
                    + "resume with the same frames or start again"
            )
        }
        guard identity == self.identity else {
            throw DataError(
                "\(checkpoint) was trained on frames of other names, or in another order; resume with the same frames or "
                    + "start again"
            )
        }
    }

    /// Number of frames.
    package var count: Int { entries.count }

    /// Opens every file once: skips the unreadable ones, refuses an empty set and mixed sizes.
    ///
    /// Of files with several channels or z-planes those of `choice` are taken.
    package convenience init(paths: [String], choice: PlaneChoice = PlaneChoice()) throws(DataError) {
        var entries: [Entry] = []
        var unreadable: [String] = []
        var (notes, noted): ([String], Set<String>) = ([], [])
        var sizes: [String: Int] = [:]
        var size = (height: 0, width: 0)
        for path in paths {
            do {
                let reader = try TIFFReader(path: path, choice: choice)
                let presence = try reader.presence(isFinished: true)
                if let missing = presence.missing?.error { unreadable.append("\(missing)") }
                guard let start = presence.there.first else { continue }
                let first = try reader.frame(page: start.page)
                size = (first.height, first.width)
                sizes["\(first.width) x \(first.height)", default: 0] += 1
                entries += presence.there.map { Entry(path: path, page: $0.page) }
                let folder = URL(filePath: path).deletingLastPathComponent().path
                if let note = reader.note, noted.insert("\(folder)\n\(note)").inserted {
                    notes.append("\(path): \(note)")
                }
            } catch { unreadable.append("\(error)") }
        }
        guard !entries.isEmpty else {
            let reason =
                unreadable.first.map { "; the first of \(unreadable.count) unreadable files: \($0)" } ?? ""
            throw DataError("no frame to work with among \(paths.count) files\(reason)")
        }
        guard sizes.count == 1 else {
            let list = sizes.sorted { $0.value > $1.value }.map { "\($0.value) of \($0.key)" }
            throw DataError(
                "frames of different sizes (\(list.joined(separator: ", "))); train and calibrate on one size"
            )
        }
        self.init(
            entries: entries,
            height: size.height,
            width: size.width,
            unreadable: unreadable,
            notes: notes
        )
    }

    private init(
        entries: [Entry],
        height: Int,
        width: Int,
        unreadable: [String] = [],
        notes: [String] = []
    ) {
        (self.entries, self.height, self.width) = (entries, height, width)
        (self.unreadable, self.notes) = (unreadable, notes)
    }

    /// Sets every n-th frame apart, for validation.
    ///
    /// What is left is the rest. A single frame is in both.
    package func split(every n: Int) -> (rest: FrameSet, apart: FrameSet) {
        let apart = entries.indices.filter { $0 % n == n - 1 || entries.count < n && $0 == entries.count - 1 }
        let rest = entries.indices.filter { !apart.contains($0) }
        func subset(_ indices: [Int]) -> FrameSet {
            FrameSet(entries: indices.map { entries[$0] }, height: height, width: width)
        }
        return (rest.isEmpty ? self : subset(rest), subset(apart))
    }

    /// A frame by its position; one that cannot be read any more throws.
    ///
    /// It is kept decoded for the next time, unless told otherwise.
    package func frame(_ index: Int, keeping: Bool = true) throws(DataError) -> Frame {
        let entry = entries[index]
        if let known = decoded.withLock({ $0[entry] }) { return known }
        do {
            let frame = try TIFFReader(path: entry.path).frame(page: entry.page)
            guard frame.height == height, frame.width == width else {
                throw DataError("\(entry.path), page \(entry.page): not \(width) x \(height) like the others")
            }
            if keeping { keep(frame, of: entry) }
            return frame
        } catch let error as DataError { throw error } catch { throw DataError("\(error)") }
    }

    private func keep(_ frame: Frame, of entry: Entry) {
        decoded.withLock { frames in
            let limit = Self.memory / (height * width * MemoryLayout<Float>.stride)
            if frames.count >= max(limit, 1) { frames.removeAll(keepingCapacity: true) }
            frames[entry] = frame
        }
    }

    /// The path of a frame, with its page where the file has several.
    package func name(_ index: Int) -> String {
        let entry = entries[index]
        let isStack = entries.contains { $0 == Entry(path: entry.path, page: $0.page) && $0 != entry }
        return isStack ? "\(entry.path), page \(entry.page)" : entry.path
    }

    /// The file and the page of a frame.
    package func place(_ index: Int) -> (path: String, page: Int) {
        (entries[index].path, entries[index].page)
    }

    /// The folder of a frame's file.
    func folder(_ index: Int) -> String { (entries[index].path as NSString).deletingLastPathComponent }

    /// A key by which frames sort as their names count: A2 before A10, and frame 9 before 10.
    func sortKey(_ index: Int) -> String {
        let entry = entries[index]
        return "\(entry.path) \(entry.page)".replacing(#/[0-9]+/#) { number in
            String(repeating: "0", count: max(12 - number.output.count, 0)) + number.output
        }
    }

    /// The grey scale of these frames: medians over up to 64 frames of their own, so that no single frame sets it.
    ///
    /// Throws where all are blank.
    package func normalisation() throws(DataError) -> Normalisation {
        var found: [Normalisation] = []
        for index in stride(from: 0, to: count, by: max(count / 64, 1)) {
            let pixels = try frame(index).pixels
            let sample = stride(from: 0, to: pixels.count, by: 7).map { pixels[$0] }
            if let own = Normalisation(sample: sample) { found.append(own) }
        }
        guard !found.isEmpty,
            let common = Normalisation(
                background: found.map(\.background).upperMedian,
                reach: found.map(\.reach).upperMedian
            )
        else { throw DataError("all frames are blank: every pixel has the same grey value") }
        return common
    }

    /// The brightest value of these frames' grey scale: 1 for shares, else that of 8, 12 or 16 bits.
    func white() throws(DataError) -> Float {
        var brightest: Float = 0
        for index in stride(from: 0, to: count, by: max(count / 64, 1)) {
            brightest = max(brightest, try frame(index).pixels.max() ?? 0)
        }
        return TestFault.white(ofBrightest: brightest)
    }
}

/// The training crops of the `reference` profile: the middle of every frame, preprocessed once and kept in memory.
///
/// Published: curvature flow and rescale of the whole frame, then the centre crop of the window's size, with zeros around
/// what is smaller; no augmentation.
final class CropSet: Sendable {
    let size: Int
    private let frames: FrameSet
    private let settings: ReferenceSettings
    private let crops = Mutex<[Int: [Float]]>([:])
    /// Memory for crops, in bytes; the published set of 8233 takes 1.2 GB.
    private static let memory = 4 << 30

    init(frames: FrameSet, settings: ReferenceSettings) {
        self.frames = frames
        self.settings = settings
        size = settings.window
    }

    var count: Int { frames.count }

    /// A crop in [0, 1], row-major; a frame that cannot be read any more throws.
    func crop(_ index: Int) throws(DataError) -> [Float] {
        if let known = crops.withLock({ $0[index] }) { return known }
        let made = settings.preprocessed(try frames.frame(index, keeping: false)).centreCrop(size).pixels
        crops.withLock { crops in
            let limit = Self.memory / (size * size * MemoryLayout<Float>.stride)
            if crops.count < max(limit, 1) { crops[index] = made }
        }
        return made
    }

    func stepsPerEpoch(batch: Int) -> Int { (count + batch - 1) / batch }

    /// The crops of a step, one after another, in an order that is shuffled anew for each epoch.
    ///
    /// They follow from seed and step alone. The last batch of an epoch may be smaller.
    func batch(step: Int, count batch: Int, seed: UInt64) throws(DataError) -> [Float] {
        let (epoch, position) = step.quotientAndRemainder(dividingBy: stepsPerEpoch(batch: batch))
        var random = SplitMix64(state: seed ^ UInt64(epoch &+ 1) &* 0xA24B_AED4_963E_E407)
        let order = (0..<count).shuffled(using: &random)
        var pixels: [Float] = []
        for index in order[position * batch..<min((position + 1) * batch, count)] {
            pixels += try crop(index)
        }
        return pixels
    }

    /// At most so many crops, spread evenly over the set, always the same.
    func spread(_ limit: Int) throws(DataError) -> [[Float]] {
        var found: [[Float]] = []
        let number = min(limit, count)
        for index in 0..<number { found.append(try crop(index * count / number)) }
        return found
    }
}
