import Plate
import Verdict

/// The first frames of each well of a run, as figures of their tiles: what the run may be calibrated on.
///
/// No pixels are kept. A frame that is strongly faulty by the model's own calibration, blank, saturated or the same image as before
/// is no example: it is only counted.
struct RunReference: Sendable {
    /// What is kept of a frame.
    struct Frame: Sendable {
        let well: Well
        let tiles: TileFigures
        /// The image score.
        let score: Double
        /// Whether the model's own calibration flags it.
        let isFlagged: Bool
    }

    /// Why a frame is no example.
    enum Reason: String, CaseIterable {
        case faulty = "strongly faulty"
        case saturated
        case blank
        case frozen
        /// Unlike the frames of the other wells.
        case standsOut = "unlike the other wells"
    }

    /// A frame this many times beyond the threshold is a fault; the rare normal frames that are flagged lie nearer.
    static let strong = 3.0
    /// More frames than these do not change a calibration; 1000 tiles of a frame take 68 KB.
    static let mostFrames = 400
    /// Frames without a new well, at least, before the wells count as complete.
    private static let patience = 30
    /// Faulty frames that are kept to see whether they stay faulty.
    private static let mostWitnesses = 64
    /// Copies with faults put on them come from several wells.
    private static let mostInjectionsOfWell = 2
    /// Share of pixels that may have the brightest grey value of the frame, or the darkest.
    private static let saturated = 0.05

    /// What has come of a well.
    private struct Seen {
        var offered = 0
        var scores: ImageScores?
    }

    let framesPerWell: Int
    private(set) var frames: [Frame] = []
    /// Frames that are strongly faulty by the model's own calibration.
    private(set) var witnesses: [TileFigures] = []
    /// Frames with faults put on them.
    var injected: [TileFigures] = []
    /// Rows and columns of the frames.
    private(set) var size = (height: 0, width: 0)
    private var injections: [Well: Int] = [:]
    private var left: [Well: [Reason: Int]] = [:]
    private var seen: [Well: Seen] = [:]
    private var sinceNewWell = 0
    private var surplus = 0
    private var isFull = false

    init(framesPerWell: Int) { self.framesPerWell = framesPerWell }

    /// How many frames were looked at.
    var offered: Int { seen.values.reduce(0) { $0 + min($1.offered, framesPerWell) } }

    /// How many frames of a well were left out, and why.
    var leftOut: [Well: [Reason: Int]] { left }

    /// Whether a frame of this well is still wanted.
    func wants(_ well: Well) -> Bool { (seen[well]?.offered ?? 0) < framesPerWell }

    /// Takes a judged frame; whether it was kept.
    ///
    /// A frame that is not wanted only shows that time goes by; one of another size than the model's is none.
    mutating func add(
        _ frame: Plate.Frame,
        _ judgement: Judgement,
        _ evidence: Evidence,
        of well: Well,
        by normal: NormalTiles
    ) -> Bool {
        sinceNewWell = seen[well] == nil ? 0 : sinceNewWell + 1
        guard wants(well) else {
            surplus += 1
            return false
        }
        let before = seen[well]?.scores
        seen[well, default: Seen()].offered += 1
        seen[well]?.scores = judgement.scores
        guard let tiles = evidence.tiles else { return false }
        size = (frame.height, frame.width)
        if let reason = reason(
            against: frame,
            judgement,
            tiles,
            normal,
            isRepeated: before == judgement.scores
        ) {
            left[well, default: [:]][reason, default: 0] += 1
            if reason == .faulty, witnesses.count < Self.mostWitnesses { witnesses.append(tiles.figures) }
            return false
        }
        frames.append(
            Frame(
                well: well,
                tiles: tiles.figures,
                score: judgement.score,
                isFlagged: judgement.verdict == .faulty
            )
        )
        if frames.count > Self.mostFrames { thin() }
        return true
    }

    /// Number of the fault that is to be put on a copy of the frame that was kept last, if any is.
    ///
    /// Frames that are flagged as they are would tell nothing.
    mutating func nextInjection(most: Int) -> Int? {
        let number = injections.values.reduce(0, +)
        guard number < most, let last = frames.last, !last.isFlagged,
            injections[last.well, default: 0] < Self.mostInjectionsOfWell
        else { return nil }
        injections[last.well, default: 0] += 1
        return number
    }

    private func reason(
        against frame: Plate.Frame,
        _ judgement: Judgement,
        _ tiles: TileEvidence,
        _ normal: NormalTiles,
        isRepeated: Bool
    ) -> Reason? {
        if isRepeated { return .frozen }
        if judgement.severity > Self.strong * judgement.threshold { return .faulty }
        // A blank frame that the model flags is left out above, and must be found later; this is for a model that does not flag it.
        if normal.isBlank(tiles) || !tiles.figures.isFinite { return .blank }
        return frame.isSaturated(beyond: Self.saturated) ? .saturated : nil
    }

    /// The well with the most frames gives its last one up.
    private mutating func thin() {
        let counts = Dictionary(grouping: frames.indices) { frames[$0].well }
        let fullest = counts.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }
        if let last = fullest?.value.last { frames.remove(at: last) }
        isFull = true
    }

    /// Whether the frames are complete: no new well comes, and each well brought its frames or there are enough.
    ///
    /// It waits for a silent well no longer than the others take for as many frames again.
    var isDue: Bool {
        guard sinceNewWell >= max(Self.patience, 2 * seen.count) else { return false }
        return isFull || surplus >= framesPerWell * seen.count
            || seen.values.allSatisfy { $0.offered >= framesPerWell }
    }
}

extension Frame {
    /// Whether more than a share of the pixels has the brightest grey value of all, or the darkest.
    func isSaturated(beyond share: Double) -> Bool {
        guard let darkest = pixels.min(), let brightest = pixels.max() else { return false }
        var ends = (dark: 0, bright: 0)
        for value in pixels {
            if value == darkest { ends.dark += 1 }
            if value == brightest { ends.bright += 1 }
        }
        return Double(max(ends.dark, ends.bright)) > share * Double(pixels.count)
    }
}
