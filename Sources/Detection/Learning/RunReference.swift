import Plate

/// The first frames of each well of a run, as figures of their tiles: what may become the run's own idea of normal.
///
/// No pixels are kept. A frame that is certainly no example, because the model at work finds it strongly faulty, or because it
/// is blank, saturated or the same image as before, is only counted.
struct RunReference: Sendable {
    /// What is kept of a frame.
    struct Frame: Sendable {
        let well: Well
        let table: TileTable
        /// The image score that decides.
        let score: Double
        /// By the model at work.
        let severity: Double
    }

    /// Why a frame teaches nothing.
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
    /// More frames than these do not teach more; 1000 tiles of a frame take 68 KB.
    static let mostFrames = 400
    /// Frames of which one is at least seen of each well, before it is believed that there are no more wells.
    private static let patience = 30
    /// Faulty frames that are kept to see whether they stay faulty.
    private static let mostWitnesses = 64
    /// Copies with faults put on them come from several wells.
    private static let mostInjectionsOfWell = 2
    /// Share of pixels that may have the brightest grey value of the frame, or the darkest.
    private static let saturated = 0.05

    /// What came of a well.
    private struct Seen {
        var offered = 0
        var scores: ImageScores?
    }

    let framesPerWell: Int
    private(set) var frames: [Frame] = []
    /// Frames that the model at work finds strongly faulty.
    private(set) var witnesses: [TileTable] = []
    /// Frames with faults put on them.
    var injected: [TileTable] = []
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
    mutating func take(
        _ frame: Plate.Frame,
        _ findings: Calibration.Findings,
        of well: Well,
        by normal: NormalModel
    ) -> Bool {
        sinceNewWell = seen[well] == nil ? 0 : sinceNewWell + 1
        guard wants(well) else {
            surplus += 1
            return false
        }
        let before = seen[well]?.scores
        seen[well, default: Seen()].offered += 1
        seen[well]?.scores = findings.judgement.scores
        guard let tiles = findings.tiles else { return false }
        size = (frame.height, frame.width)
        if let reason = reason(against: frame, tiles, normal, isRepeated: before == findings.judgement.scores)
        {
            left[well, default: [:]][reason, default: 0] += 1
            if reason == .faulty, witnesses.count < Self.mostWitnesses { witnesses.append(tiles.table) }
            return false
        }
        frames.append(
            Frame(
                well: well,
                table: tiles.table,
                score: findings.judgement.score,
                severity: tiles.deviation.severity
            )
        )
        if frames.count > Self.mostFrames { thin() }
        return true
    }

    /// Number of the fault that is to be put on a copy of the frame that was kept last, if any is.
    ///
    /// Frames that are flagged as they are would tell nothing.
    mutating func nextInjection(most: Int, below threshold: Double) -> Int? {
        let number = injections.values.reduce(0, +)
        guard number < most, let last = frames.last, last.severity <= threshold,
            injections[last.well, default: 0] < Self.mostInjectionsOfWell
        else { return nil }
        injections[last.well, default: 0] += 1
        return number
    }

    private func reason(
        against frame: Plate.Frame,
        _ tiles: (table: TileTable, deviation: NormalModel.Deviation),
        _ normal: NormalModel,
        isRepeated: Bool
    ) -> Reason? {
        if isRepeated { return .frozen }
        if tiles.deviation.severity > Self.strong * normal.threshold { return .faulty }
        // What the model sees as a fault is left out above and kept as a witness; this is for a model that does not.
        if normal.evidence(of: tiles.table, tiles.deviation).isBlank { return .blank }
        return frame.isSaturated(beyond: Self.saturated) ? .saturated : nil
    }

    /// The well with the most frames gives its last one up.
    private mutating func thin() {
        let counts = Dictionary(grouping: frames.indices) { frames[$0].well }
        let fullest = counts.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }
        if let last = fullest?.value.last { frames.remove(at: last) }
        isFull = true
    }

    /// Whether each well had its turn: no new well comes any more, and each brought its frames or there are enough.
    ///
    /// A well that is silent is waited for no longer than the others take for as many frames again.
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
