import Acquisition
import Frames
import Ledger
import Plate
import Reporting
import Synchronization

/// Frames and score maps as small pictures for a browser.
enum Picture {
    static let widest = 1280
    static let narrowest = 16

    /// A grey picture at most `width` wide, of so many levels of grey.
    static func grey(_ frame: Frame, width: Int, levels: Int = 256) throws(PNGError) -> [UInt8] {
        let small = reduced(frame, to: width)
        let (low, high) = shownRange(of: small)
        // Of doubles, as the difference of two floats may be none.
        let scale = 255 / max(high - low, .leastNormalMagnitude)
        let step = 256 / max(1, levels)
        let bytes = small.pixels.map { pixel in
            let grey = Int(UInt8(saturating: (Double(pixel) - low) * scale))
            return UInt8(min(255, (grey + step / 2) / step * step))
        }
        return try PNGImage(height: small.height, width: small.width, colour: .grey, bytes: bytes).encoded()
    }

    /// Score maps in colours from black over red and orange to white: black leaves a frame below it as it is.
    static func heat(_ map: Frame, width: Int) throws(PNGError) -> [UInt8] {
        let (small, high) = (reduced(map, to: width), high(map))
        var bytes: [UInt8] = []
        bytes.reserveCapacity(small.pixels.count * 3)
        for pixel in small.pixels {
            let value = min(max(pixel / high, 0), 1)
            bytes.append(UInt8(saturating: min(value * 2, 1) * 255))
            bytes.append(UInt8(saturating: min(value * 2 - 0.6, 1) * 255))
            bytes.append(UInt8(saturating: min(value * 4 - 3, 1) * 255))
        }
        return try PNGImage(height: small.height, width: small.width, colour: .rgb, bytes: bytes).encoded()
    }

    /// The value of a score map that is shown white: its highest.
    static func high(_ map: Frame) -> Float {
        max(map.pixels.filter(\.isFinite).max() ?? 0, .leastNormalMagnitude)
    }

    /// Each pixel is the mean of those it stands for; an image that is small enough stays.
    static func reduced(_ frame: Frame, to width: Int) -> Frame {
        guard frame.width > width else { return frame }
        let height = max(1, frame.height * width / frame.width)
        let columns = (0...width).map { $0 * frame.width / width }
        var pixels: [Float] = []
        pixels.reserveCapacity(width * height)
        for row in 0..<height {
            let top = row * frame.height / height
            let bottom = max(top + 1, (row + 1) * frame.height / height)
            var sums = [Double](repeating: 0, count: width)
            for line in top..<bottom {
                let start = line * frame.width
                for column in 0..<width {
                    for pixel in columns[column]..<columns[column + 1] {
                        sums[column] += Double(frame.pixels[start + pixel])
                    }
                }
            }
            for column in 0..<width {
                let count = Double((columns[column + 1] - columns[column]) * (bottom - top))
                pixels.append(Float(sums[column] / count))
            }
        }
        return Frame(height: height, width: width, pixels: pixels)
    }

    /// 8-bit frames as they are, so that a dark one looks dark; others between their darkest and brightest hundredth.
    private static func shownRange(of frame: Frame) -> (low: Double, high: Double) {
        let sorted = frame.pixels.filter(\.isFinite).sorted()
        guard let most = sorted.last, most > 255 || most <= 1 else { return (0, 255) }
        let edge = sorted.count / 100
        return (Double(sorted[edge]), Double(sorted[sorted.count - 1 - edge]))
    }
}

/// Pictures that were made, the ones asked for last, up to a number of bytes.
final class PictureShelf: Sendable {
    fileprivate struct State {
        var pictures: [String: (bytes: [UInt8], used: Int)] = [:]
        var size = 0
        var clock = 0
    }

    private let state = Mutex(State())
    private let capacity: Int

    init(capacity: Int = 24 << 20) {
        self.capacity = capacity
    }

    /// The picture of that name, made if it is not there.
    func picture(_ name: String, make: () throws -> [UInt8]?) rethrows -> [UInt8]? {
        let kept = state.withLock { state in
            state.clock += 1
            state.pictures[name]?.used = state.clock
            return state.pictures[name]?.bytes
        }
        if let kept { return kept }
        guard let made = try make() else { return nil }
        state.withLock { $0.keep(made, as: name, capacity: capacity) }
        return made
    }
}

extension PictureShelf.State {
    fileprivate mutating func keep(_ bytes: [UInt8], as name: String, capacity: Int) {
        guard bytes.count <= capacity / 4 else { return }
        size += bytes.count - (pictures[name]?.bytes.count ?? 0)
        pictures[name] = (bytes, clock)
        while size > capacity, let oldest = pictures.min(by: { $0.value.used < $1.value.used }) {
            size -= oldest.value.bytes.count
            pictures[oldest.key] = nil
        }
    }
}

/// The files that belong to a frame: named by the ledger's row, never by a request.
struct FrameFiles {
    let tree: OutputTree
    let record: FrameRecord

    var framePath: String { record.source.absolutePath }
    var maskPath: String? { sidecar("masks", "mask.tiff") }
    var regionsPath: String? { sidecar("masks", "mask.geojson") }
    /// The score map, which may not have been kept.
    var heatMapPath: String? { sidecar("scores", "scores.tiff") }

    private func sidecar(_ place: String, _ ending: String) -> String? {
        guard let run = record.frame?.run,
            let name = record.judgement?.maskPath.flatMap(Sidecars.name(ofMask:)), !name.contains("/")
        else { return nil }
        return "\(tree.folder(run: run))/\(place)/\(name).\(ending)"
    }

    /// The frame's pixels, or `nil` where its file is gone, was changed or cannot be read.
    func readFrame() -> Frame? {
        guard let reader = try? TIFFReader(path: framePath),
            let frame = try? reader.frame(page: record.source.page), isJudged(frame)
        else { return nil }
        return frame
    }

    /// How large a pixel is, where the frame's file says it.
    var pixelSize: PixelSize? { (try? TIFFReader(path: framePath))?.pixelSize }

    /// Whether the file is there and holds another frame than the one that was judged.
    var isChanged: Bool {
        guard let reader = try? TIFFReader(path: framePath),
            let frame = try? reader.frame(page: record.source.page)
        else {
            return FrameListing.identity(of: framePath).map { $0 != record.source.identity } ?? false
        }
        return !isJudged(frame)
    }

    /// By the digest of its pixels, which a copy or a touch leaves as it is; without one, by the file's identity.
    private func isJudged(_ frame: Frame) -> Bool {
        if let digest = record.digest { return frame.digest == digest.pixels }
        return record.source.identity != nil
            && FrameListing.identity(of: framePath) == record.source.identity
    }

    func readMask() -> Mask? {
        guard let path = maskPath, let frame = try? TIFFReader(path: path).frame(page: 0) else { return nil }
        return Mask(frame)
    }

    func readHeatMap() -> Frame? {
        heatMapPath.flatMap { try? TIFFReader(path: $0).frame(page: 0) }
    }
}
