import Foundation
import Mathematics
package import Plate

/// One term of a frame's severity: what is measured, which direction counts, and with which weight.
///
/// A term compares one figure of a frame with the same figure of normal frames. `all` lists every term; a new term is one more row
/// there. Models without tiles have the term `score` only, models without a tile classifier have no `fault-logit` terms. The term
/// `combination` is of the distances of the others.
package struct SeverityTerm: Sendable {
    /// Which deviation from normal frames counts.
    package enum Direction: String, Sendable {
        /// Only a value above the median of normal frames counts.
        case above
        /// A value below the median counts like one above it.
        case either
    }

    /// What must be known of a frame for the term.
    enum Source {
        /// The score map of the whole frame.
        case image
        /// The figures of its tiles.
        case tiles
        /// The answers of a tile classifier.
        case classifier
        /// The distances of all other terms.
        case terms
    }

    /// Name in alarm lines, ledger, exports and model files.
    package let name: String
    /// Unit of the figure.
    package let unit: String
    /// Which deviation counts.
    package let direction: Direction
    /// Factor of the deviation.
    package let weight: Double
    /// What makes the term large, for people: a noun phrase.
    package let words: String
    let source: Source
    /// How much normal frames of a microscope usually differ, in `unit`; `nil` where that is not known.
    ///
    /// The spread over a few calibration frames is drawn towards it (`SeverityScale`).
    let typicalSpread: Double?
    let value: @Sendable (Evidence) -> Double?

    /// Every term, in the order of model files and ledger.
    ///
    /// Typical spreads are medians over real and simulated sets of frames, and weights make the largest values of normal frames
    /// about alike (docs/quality.md).
    package static let all: [SeverityTerm] = [
        SeverityTerm("score", unit: "residual", .either, source: .image, words: "an unusual image score") {
            $0.score
        },
        .tiles("tile-nll-max", 6, "one tile unlike normal tiles") { $0.maximum },
        .tiles("tile-nll-top-0.5", 5, "a few tiles unlike normal tiles") { $0.shares[0] },
        .tiles("tile-nll-top-3", 3, "some tiles unlike normal tiles") { $0.shares[1] },
        .tiles("tile-nll-top-20", 2, "many tiles unlike normal tiles") { $0.shares[2] },
        .frame("level", "ln(grey level / median level)", 0.05, "the brightness of the frame") {
            $0.levelRatio
        },
        .frame(
            "darkest-region",
            "ln(grey level / level of the frame)",
            0.03,
            "uneven light, by its darkest region"
        ) {
            $0.light.darkest
        },
        .frame(
            "brightest-region",
            "ln(grey level / level of the frame)",
            0.03,
            "uneven light, by its brightest region"
        ) {
            $0.light.brightest
        },
        .frame("sharpness-fine", "ln(power ratio)", 0.15, weight: 1.6, "an unusual focus, by fine detail") {
            $0.sharpness.fine
        },
        .frame("sharpness-coarse", "ln(power ratio)", 0.13, weight: 2, "an unusual focus, by coarse detail") {
            $0.sharpness.coarse
        },
        .frame("detail", "ln(power)", 0.5, "unusually few or many cells") { $0.figures.detail },
        // A speck of dust is little among the other figures of its tile: its residual counts by itself.
        SeverityTerm(
            "residual-window",
            unit: "ln(residual)",
            .above,
            typicalSpread: 0.12,
            source: .tiles,
            words: "one spot that cannot be reconstructed"
        ) { $0.tiles?.largestResidual },
        .classifier("fault-logit-max", 2.5, "one tile that looks like a known fault") { $0.maximum },
        .classifier("fault-logit-top-0.5", 1.8, "a few tiles that look like a known fault") { $0.shares[0] },
        .classifier("fault-logit-top-3", 1.5, "some tiles that look like a known fault") { $0.shares[1] },
        .classifier("fault-logit-top-20", 1, "many tiles that look like a known fault") { $0.shares[2] },
        combination,
    ]

    /// The term of a `Combination`, which no evidence has by itself.
    static let combination = SeverityTerm(
        "combination",
        unit: "standard deviations",
        .above,
        typicalSpread: 1,
        source: .terms,
        words: "an unusual combination of figures"
    ) { _ in nil }

    /// The term of a name; `nil` for a name that none has.
    package static func named(_ name: String) -> SeverityTerm? { all.first { $0.name == name } }

    /// The terms of a model without tiles.
    static var ofImage: [SeverityTerm] { all.filter { $0.source == .image } }

    /// The terms of a model with tiles.
    static func ofTiles(hasClassifier: Bool) -> [SeverityTerm] {
        all.filter { $0.source == .tiles || hasClassifier && $0.source == .classifier }
    }

    private init(
        _ name: String,
        unit: String,
        _ direction: Direction,
        weight: Double = 1,
        typicalSpread: Double? = nil,
        source: Source,
        words: String,
        value: @escaping @Sendable (Evidence) -> Double?
    ) {
        (self.name, self.unit, self.direction, self.words) = (name, unit, direction, words)
        self.weight = weight
        (self.source, self.typicalSpread, self.value) = (source, typicalSpread, value)
    }

    /// A term of the tiles that are least likely among normal ones.
    private static func tiles(
        _ name: String,
        _ typicalSpread: Double,
        _ words: String,
        _ mean: @escaping @Sendable (TopMeans) -> Double
    ) -> SeverityTerm {
        SeverityTerm(
            name,
            unit: "negative log-likelihood",
            .above,
            weight: 0.7,
            typicalSpread: typicalSpread,
            source: .tiles,
            words: words
        ) { $0.tiles.map { mean($0.leastLikely) } }
    }

    /// A term of a figure of the whole frame, which may be too small as well as too large.
    private static func frame(
        _ name: String,
        _ unit: String,
        _ typicalSpread: Double,
        weight: Double = 1,
        _ words: String,
        _ figure: @escaping @Sendable (TileEvidence) -> Double
    ) -> SeverityTerm {
        SeverityTerm(
            name,
            unit: unit,
            .either,
            weight: weight,
            typicalSpread: typicalSpread,
            source: .tiles,
            words: words
        ) { $0.tiles.map(figure) }
    }

    /// A term of the tiles that look most like a known fault.
    private static func classifier(
        _ name: String,
        _ typicalSpread: Double,
        _ words: String,
        _ mean: @escaping @Sendable (TopMeans) -> Double
    ) -> SeverityTerm {
        SeverityTerm(
            name,
            unit: "fault logit",
            .above,
            typicalSpread: typicalSpread,
            source: .classifier,
            words: words
        ) { $0.tiles?.mostFaulty.map(mean) }
    }
}

/// How far a frame is from normal frames, in their own spread: the formula, fitted to the normal frames of one microscope.
///
/// Each term i compares its figure x_i with the median m_i and the spread s_i of normal frames on the side of x_i:
///
///     d_i = w_i (x_i - m_i) / s_i              (direction `above`)
///     d_i = w_i |x_i - m_i| / s_i              (direction `either`)
///     severity = max(0, ln(1/n sum_i exp(d_i)))
///
/// The last term is of the distances of all others, see `Combination`; a model without tiles has none.
///
/// The logarithm of the mean exponential is a smooth maximum (Boyd and Vandenberghe 2004, section 3.1.5): one term that is far out
/// decides, and several terms that are a little out add up. docs/verdict.md explains each term and recomputes one frame.
package struct Severity: Sendable, Equatable, Codable {
    /// A term with what it is for normal frames.
    private struct Fitted: Sendable, Equatable, Codable {
        let term: String
        let scale: SeverityScale
    }

    private let terms: [Fitted]
    private let combination: Combination?

    /// Fits the scales of some terms to normal frames, at least one.
    init(_ terms: [SeverityTerm], normal: [Evidence]) {
        let terms = terms.map { term in
            Fitted(
                term: term.name,
                scale: SeverityScale(
                    normalValues: normal.compactMap(term.value),
                    typicalSpread: term.typicalSpread
                )
            )
        }
        self.terms = terms
        let distances = normal.map { Self.distances(of: $0, terms).map(\.distance) }
        let complete = distances.filter { $0.count == terms.count }
        combination =
            terms.count > 1 && !complete.isEmpty
            ? Combination(normal: complete, typicalSpread: SeverityTerm.combination.typicalSpread) : nil
    }

    /// Fits every term of tiles to measured normal frames, at least one; those of a classifier where they have one.
    package init(normal: [Evidence]) {
        let hasClassifier = normal.contains { $0.tiles?.mostFaulty != nil }
        self.init(SeverityTerm.ofTiles(hasClassifier: hasClassifier), normal: normal)
    }

    private enum CodingKeys: CodingKey { case terms, combination }

    /// Reads what was stored; throws if a term is not known, if there is none, or if the parts do not fit together.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        terms = try values.decode([Fitted].self, forKey: .terms)
        combination = try values.decodeIfPresent(Combination.self, forKey: .combination)
        guard !terms.isEmpty, Set(terms.map(\.term)).count == terms.count,
            terms.allSatisfy({ SeverityTerm.named($0.term) != nil }),
            combination.map({ $0.terms == terms.count }) ?? true
        else {
            let problem = "the terms of the severity are not those of this program; calibrate again"
            throw DecodingError.dataCorrupted(.init(codingPath: values.codingPath, debugDescription: problem))
        }
    }

    /// The terms that some evidence has, with how far each is from its median: below 0 for a smaller figure, in the spread on its side.
    private static func distances(
        of evidence: Evidence,
        _ terms: [Fitted]
    ) -> [(term: SeverityTerm, distance: Double)] {
        terms.compactMap { fitted in
            guard let term = SeverityTerm.named(fitted.term), let value = term.value(evidence) else {
                return nil
            }
            return (term, fitted.scale.distance(of: value))
        }
    }

    /// What each term adds, d_i above, in the order of the model file.
    func contributions(of evidence: Evidence) -> [SeverityContribution] {
        let distances = Self.distances(of: evidence, terms)
        var found = distances.map { term, distance in
            SeverityContribution(
                term: term.name,
                value: term.weight * (term.direction == .either ? abs(distance) : distance)
            )
        }
        if let combination, let figure = figure(of: .combination, evidence) {
            let distance = combination.scale.distance(of: figure)
            found.append(SeverityContribution(term: SeverityTerm.combination.name, value: distance))
        }
        return found
    }

    /// The figure of a term in a frame; `nil` where the model or the frame has none.
    func figure(of term: SeverityTerm, _ evidence: Evidence) -> Double? {
        guard term.source == .terms else { return term.value(evidence) }
        let distances = Self.distances(of: evidence, terms).map(\.distance)
        return distances.count == terms.count ? combination?.figure(of: distances) : nil
    }

    /// The severity that some contributions make.
    package static func total(of contributions: [SeverityContribution]) -> Double {
        let largest = contributions.reduce(-Double.infinity) { max($0, $1.value) }
        guard largest.isFinite else { return max(largest, 0) }
        let sum = contributions.reduce(0) { $0 + exp($1.value - largest) }
        return max(largest + log(sum / Double(contributions.count)), 0)
    }

    /// The severity of a frame, at least 0.
    package func total(of evidence: Evidence) -> Double { Self.total(of: contributions(of: evidence)) }

    /// The term that adds most to the severity of a frame.
    package func largestTerm(of evidence: Evidence) -> SeverityTerm? {
        contributions(of: evidence).max { $0.value < $1.value }.flatMap { SeverityTerm.named($0.term) }
    }

    /// What normal frames are in a term; `nil` where this model does not have the term.
    package func scale(of term: String) -> SeverityScale? {
        term == SeverityTerm.combination.name
            ? combination?.scale : terms.first { $0.term == term }?.scale
    }
}

/// What one figure is for normal frames: its median and its spread on either side.
package struct SeverityScale: Sendable, Equatable, Codable {
    /// Median of the normal frames.
    package let median: Double
    /// How far they go above it: one standard deviation if they were Gaussian.
    package let spreadAbove: Double
    /// How far they go below it.
    package let spreadBelow: Double

    /// Spreads are at least this share of the median's size: frames that are all alike must not make any other frame faulty.
    private static let smallestRelativeSpread = 1e-3
    private static let smallestSpread = 1e-9
    /// How many frames of this microscope count as much as what is known of others.
    private static let knownFrames = 10.0

    /// The farther of two ways to a standard deviation on one side of the median: over 34 % of the values, and over 45 %, which are
    /// 1 and 1.645 of it if they are Gaussian.
    ///
    /// Values of wells have long tails: some wells are nearly empty. The outermost two values do not count.
    private static func spread(of values: [Double], median: Double, above: Bool) -> Double {
        let inner = 0.16
        let outer = min(max(0.05, 2 / Double(values.count)), inner)
        let found = values.quantiles(above ? [1 - inner, 1 - outer] : [inner, outer]).map { abs($0 - median) }
        return outer < inner ? max(found[0], found[1] / Self.deviations(outer)) : found[0]
    }

    /// How many standard deviations below the median a share of Gaussian values begins; for shares of 0.05 to 0.16 (Abramowitz and
    /// Stegun 1964, 26.2.22, off by 0.003 at most).
    private static func deviations(_ share: Double) -> Double {
        let t = (-2 * log(share)).squareRoot()
        return t - (2.30753 + 0.27061 * t) / (1 + 0.99229 * t + 0.04481 * t * t)
    }

    /// Wraps a fitted scale; both spreads are positive.
    init(median: Double, spreadAbove: Double, spreadBelow: Double) {
        precondition(spreadAbove > 0 && spreadBelow > 0, "spreads of \(spreadAbove) and \(spreadBelow)")
        self.median = median
        self.spreadAbove = spreadAbove
        self.spreadBelow = spreadBelow
    }

    /// Reads a stored scale; throws if a spread is not positive.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        median = try fields.decode(Double.self, forKey: .median)
        spreadAbove = try fields.decode(Double.self, forKey: .spreadAbove)
        spreadBelow = try fields.decode(Double.self, forKey: .spreadBelow)
        guard spreadAbove > 0, spreadBelow > 0 else {
            let problem = "spreads of \(spreadAbove) and \(spreadBelow) are not positive"
            throw DecodingError.dataCorrupted(.init(codingPath: fields.codingPath, debugDescription: problem))
        }
    }

    /// Fits the scale to the values of normal frames, at least one.
    ///
    /// With a typical spread t, each spread s becomes sqrt((n s^2 + k t^2) / (n + k)) for n values: the posterior mean of a variance
    /// of which k earlier values are known. Six frames that happen to be alike do not make a seventh faulty.
    init(normalValues: [Double], typicalSpread: Double? = nil) {
        precondition(!normalValues.isEmpty, "a severity scale needs normal frames")
        // A figure that is no number says nothing of normal frames.
        let normalValues = normalValues.contains(where: \.isFinite) ? normalValues.filter(\.isFinite) : [0]
        let median = normalValues.median
        let floor = max(Self.smallestRelativeSpread * abs(median), Self.smallestSpread)
        let count = Double(normalValues.count)
        func spread(_ own: Double) -> Double {
            guard let typicalSpread else { return max(own, floor) }
            let known = Self.knownFrames * typicalSpread * typicalSpread
            return ((count * own * own + known) / (count + Self.knownFrames)).squareRoot()
        }
        self.init(
            median: median,
            spreadAbove: spread(Self.spread(of: normalValues, median: median, above: true)),
            spreadBelow: spread(Self.spread(of: normalValues, median: median, above: false))
        )
    }

    /// Distance of a value from the median in the spread on its side, below 0 for a smaller value.
    func distance(of value: Double) -> Double {
        (value - median) / (value >= median ? spreadAbove : spreadBelow)
    }
}
