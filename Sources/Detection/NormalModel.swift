import Foundation
import Plate

/// What the tiles of normal frames look like, and how far beyond them a frame is.
///
/// The score map alone cannot tell a defocused frame, which is easy to reconstruct, nor a thin hair among many cells. Here a
/// mixture of Gaussians over the figures of single tiles (`TileTable`) says how surprising each tile is; a frame's severity
/// follows from its most surprising tiles, one as well as many, from its brightness, and from its largest residual. Only
/// normal frames are needed; a classifier of tiles that was taught by faults elsewhere is a second witness.
package struct NormalModel: Sendable, Equatable {
    /// Rows of the frames that it was learnt from.
    package let height: Int
    /// Columns of the frames that it was learnt from.
    package let width: Int
    /// Number of those frames, changed copies included.
    package let frames: Int
    /// The severity above which a frame is faulty.
    package var threshold: Double
    /// How that threshold was found.
    package var origin: Calibration.Origin
    /// The weighed and averaged residual above which a pixel is faulty.
    package var maskThreshold: Double = 0

    /// Grey value of the background of normal frames.
    let background: Float
    /// Mean of each figure over normal tiles.
    let centre: [Float]
    /// Standard deviation of each figure over normal tiles.
    let spread: [Float]
    /// Of the figures, centred and scaled.
    let mixture: GaussianMixture
    /// Median over normal frames of the logarithm of their level.
    let level: Float
    /// What each part of the severity is for normal frames.
    let scales: [SeverityScale]
    /// Median suspicion of normal tiles.
    let ordinary: Float
    /// Median over normal frames of their most suspicious tile.
    let striking: Float
    /// What known faults taught; absent where there were none.
    package let classifier: TileClassifier?

    /// How far a frame is from normal ones.
    struct Deviation {
        /// In the spread of normal frames, at least 0.
        let severity: Double
        /// How suspicious each tile is: by the classifier, or how surprising where there is none.
        let suspicions: [Float]
    }

    /// Shares of a frame's tiles, the most surprising ones, whose mean surprise counts; at least one tile each.
    static let shares = [0, 0.005, 0.03, 0.2]
    /// What surprise and level count beside a classifier: what normal frames do now and then is seldom a fault.
    private static let surpriseWeight = 0.35

    /// Whether it can say something of a frame: only of the size that it was learnt from.
    func fits(_ frame: Frame) -> Bool { frame.height == height && frame.width == width }

    /// How far a measured frame is from normal ones.
    func deviation(of table: TileTable) -> Deviation {
        let points = standardised(table.values, count: table.count)
        let surprises = mixture.surprises(of: points)
        let suspicions = classifier?.suspicions(of: points, count: table.count)
        let whole = Self.whole(of: table, level: level).prefix(hasPeak ? 2 : 1)
        let parts = Self.parts(surprises: surprises, suspicions: suspicions, whole: Array(whole))
        return Deviation(severity: severity(of: parts), suspicions: suspicions ?? surprises)
    }

    /// The soft maximum of the parts, each in the spread of normal frames.
    func severity(of parts: [Double]) -> Double {
        Self.severity(of: parts, in: scales, hasClassifier: classifier != nil)
    }

    static func severity(of parts: [Double], in scales: [SeverityScale], hasClassifier: Bool) -> Double {
        let distances = zip(parts, scales).enumerated().map { index, part in
            let distance = (part.0 - part.1.median) / part.1.spreadAbove
            return hasClassifier && index <= shares.count ? surpriseWeight * distance : distance
        }
        let largest = distances.max() ?? 0
        let sum = distances.reduce(0) { $0 + exp($1 - largest) }
        return max(largest + log(sum / Double(distances.count)), 0)
    }

    /// Figures in the spread of normal tiles.
    func standardised(_ values: [Float], count: Int) -> [Float] {
        Self.standardised(values, count: count, centre: centre, spread: spread)
    }

    static func standardised(_ values: [Float], count: Int, centre: [Float], spread: [Float]) -> [Float] {
        var result = values
        for channel in centre.indices {
            let (middle, share) = (centre[channel], 1 / spread[channel])
            for index in channel * count..<(channel + 1) * count {
                result[index] = (values[index] - middle) * share
            }
        }
        return result
    }

    /// What the severity is made of: mean surprise of the most surprising tiles, the two of `whole`, and mean suspicion of
    /// the most suspicious tiles.
    static func parts(surprises: [Float], suspicions: [Float]?, whole: [Double]) -> [Double] {
        foremost(surprises) + whole + (suspicions.map { foremost($0) } ?? [])
    }

    /// How far a frame's level is off, and its largest residual window: a speck is little among the other figures of its tile.
    static func whole(of table: TileTable, level: Float) -> [Double] {
        let peak = table.values(of: .residualWindow).reduce(-.infinity) { max($0, $1) }
        return [Double(abs(Self.level(of: table) - level)), Double(peak)]
    }

    /// Whether the largest residual counts; it does not in models of before.
    private var hasPeak: Bool { scales.count == Self.partCount(hasClassifier: classifier != nil) }

    private static func partCount(hasClassifier: Bool) -> Int { (hasClassifier ? 2 : 1) * shares.count + 2 }

    private static func foremost(_ values: [Float]) -> [Double] {
        let falling = values.sorted(by: >)
        return shares.map { share in
            let count = max(1, Int((share * Double(falling.count)).rounded()))
            return falling[..<count].reduce(0) { $0 + Double($1) } / Double(count)
        }
    }

    /// The logarithm of a frame's level: the median of its tiles.
    static func level(of table: TileTable) -> Float {
        let sorted = table.values(of: .level).sorted()
        return sorted[sorted.count / 2]
    }

    /// How much more than an ordinary tile each is to be looked at: 1 for the most striking of a normal frame.
    func weights(of suspicions: [Float]) -> [Float] {
        let span = max(striking - ordinary, 1e-3)
        return suspicions.map { min(max(($0 - ordinary) / span, Self.smallestWeight), Self.largestWeight) }
    }

    private static let smallestWeight: Float = 0.02
    private static let largestWeight: Float = 2

    init(
        size: (height: Int, width: Int),
        frames: Int,
        background: Float,
        centre: [Float],
        spread: [Float],
        mixture: GaussianMixture,
        level: Float,
        scales: [SeverityScale],
        suspicion: (ordinary: Float, striking: Float),
        classifier: TileClassifier?,
        threshold: (value: Double, origin: Calibration.Origin)
    ) {
        (height, width) = size
        self.frames = frames
        self.background = background
        (self.centre, self.spread, self.mixture) = (centre, spread, mixture)
        self.level = level
        self.scales = scales
        (ordinary, striking) = suspicion
        self.classifier = classifier
        (self.threshold, origin) = threshold
    }
}

extension NormalModel: Codable {
    /// Of the stored form, without and with the largest residual; another is refused.
    private static let versions = 1...2

    private enum Key: String, CodingKey {
        case version, height, width, frames, background, centre, spread, components, means, factors, logs,
            level, scales,
            ordinary, striking, classifier, threshold, origin, maskThreshold
    }

    /// Reads what was stored; throws if it is of an unknown version or does not fit together.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        func refuse(_ what: String) -> DecodingError {
            .dataCorrupted(.init(codingPath: values.codingPath, debugDescription: what))
        }
        let version = try values.decode(Int.self, forKey: .version)
        guard Self.versions.contains(version) else {
            throw refuse(
                "the normal model has version \(version), this program reads up to \(Self.versions.upperBound)"
            )
        }
        func packed(_ key: Key) throws -> [Float] {
            [Float](packed: try values.decode(Data.self, forKey: key))
        }
        let (centre, spread) = (try packed(.centre), try packed(.spread))
        let mixture = GaussianMixture(
            dimensions: TileTable.channels,
            components: try values.decode(Int.self, forKey: .components),
            means: try packed(.means),
            factors: try packed(.factors),
            logs: try packed(.logs)
        )
        let scales = try values.decode([SeverityScale].self, forKey: .scales)
        let classifier = try values.decodeIfPresent(TileClassifier.self, forKey: .classifier)
        guard let mixture, centre.count == TileTable.channels, spread.count == centre.count,
            scales.count == Self.partCount(hasClassifier: classifier != nil) - (version == 1 ? 1 : 0),
            spread.allSatisfy({ $0 > 0 }),
            centre.allSatisfy(\.isFinite)
        else { throw refuse("the parts of the normal model do not fit together; calibrate again") }
        self.init(
            size: (try values.decode(Int.self, forKey: .height), try values.decode(Int.self, forKey: .width)),
            frames: try values.decode(Int.self, forKey: .frames),
            background: try values.decode(Float.self, forKey: .background),
            centre: centre,
            spread: spread,
            mixture: mixture,
            level: try values.decode(Float.self, forKey: .level),
            scales: scales,
            suspicion: (
                try values.decode(Float.self, forKey: .ordinary),
                try values.decode(Float.self, forKey: .striking)
            ),
            classifier: classifier,
            threshold: (
                try values.decode(Double.self, forKey: .threshold),
                try values.decode(Calibration.Origin.self, forKey: .origin)
            )
        )
        maskThreshold = try values.decode(Double.self, forKey: .maskThreshold)
    }

    /// Writes it; arrays as little-endian 32-bit floats.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(hasPeak ? 2 : 1, forKey: .version)
        try values.encode(height, forKey: .height)
        try values.encode(width, forKey: .width)
        try values.encode(frames, forKey: .frames)
        try values.encode(background, forKey: .background)
        try values.encode(Data(centre.packed), forKey: .centre)
        try values.encode(Data(spread.packed), forKey: .spread)
        try values.encode(mixture.components, forKey: .components)
        try values.encode(Data(mixture.means.packed), forKey: .means)
        try values.encode(Data(mixture.factors.packed), forKey: .factors)
        try values.encode(Data(mixture.logs.packed), forKey: .logs)
        try values.encode(level, forKey: .level)
        try values.encode(scales, forKey: .scales)
        try values.encode(ordinary, forKey: .ordinary)
        try values.encode(striking, forKey: .striking)
        try values.encodeIfPresent(classifier, forKey: .classifier)
        try values.encode(threshold, forKey: .threshold)
        try values.encode(origin, forKey: .origin)
        try values.encode(maskThreshold, forKey: .maskThreshold)
    }
}
