import Digests
import Foundation
import Frames
package import Plate

/// What is said of a frame beside the outlines of its mask.
///
/// The regions of a mask are a GeoJSON feature collection (RFC 7946) that QuPath, Fiji and plug-ins of napari read. Each region is a
/// `Feature` with a `Polygon` in pixel coordinates, y downwards, an `id` (UUID), and the properties that QuPath 0.4 and later write:
/// `objectType` (`annotation`), `name`, `isLocked`, `classification` (`name`, `color`) and `measurements`. There are no times and no
/// paths: the same frame and verdict give the same bytes.
package struct RegionVerdict: Sendable {
    private let cause: Cause
    private let confidence: Double?
    private let severity: Double
    private let score: Double

    /// Gathers what is said.
    package init(_ cause: Cause, confidence: Double? = nil, severity: Double, score: Double) {
        (self.cause, self.confidence, self.severity, self.score) = (cause, confidence, severity, score)
    }

    /// What a judgement says.
    package init(_ judgement: Judgement) {
        self.init(
            judgement.cause.cause,
            confidence: judgement.confidence,
            severity: judgement.severity,
            score: judgement.score
        )
    }

    /// The regions of a mask as GeoJSON; `frame` is the name of the frame's sidecars.
    func regions(of outline: MaskOutline, frame: String, pixelSize: PixelSize?) -> Data {
        let features = outline.regions.enumerated().map { number, region in
            let name = "\(frame) \(number + 1)"
            return Feature(
                id: Self.identifier(name),
                geometry: Polygon(coordinates: region.rings.map { ring in ring.map { [$0.x, $0.y] } }),
                properties: Properties(
                    name: name,
                    classification: Classification(
                        name: cause == .unknown ? "fault" : cause.rawValue,
                        color: cause.colour
                    ),
                    measurements: measurements(of: region, pixelSize)
                )
            )
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Figures that are not finite are left out, so that nothing remains that cannot be encoded.
        return ((try? encoder.encode(Collection(features: features))) ?? Data()) + Data("\n".utf8)
    }

    private func measurements(of region: MaskOutline.Region, _ pixelSize: PixelSize?) -> [String: Double] {
        [
            "severity": severity, "score": score, "confidence": confidence, "area px": Double(region.pixels),
            "area um^2": pixelSize.map { Double(region.pixels) * $0.x * $0.y },
        ].compactMapValues { $0?.isFinite == true ? $0 : nil }
    }

    /// A UUID that follows from a name (RFC 9562, version 8).
    private static func identifier(_ name: String) -> String {
        var digits = Array(Digest.sha256(Data(name.utf8)).prefix(32))
        (digits[12], digits[16]) = ("8", "8")
        let groups = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
        return groups.map { String(digits[$0]) }.joined(separator: "-")
    }

    private struct Collection: Encodable {
        let type = "FeatureCollection"
        let features: [Feature]
    }

    private struct Feature: Encodable {
        let type = "Feature"
        let id: String
        let geometry: Polygon
        let properties: Properties
    }

    private struct Polygon: Encodable {
        let type = "Polygon"
        let coordinates: [[[Int]]]
    }

    private struct Properties: Encodable {
        let objectType = "annotation"
        let name: String
        let isLocked = true
        let classification: Classification
        let measurements: [String: Double]
    }

    private struct Classification: Encodable {
        let name: String
        let color: [Int]
    }
}

extension Cause {
    /// Red, green and blue of its regions; told apart by those who cannot tell red from green (Okabe and Ito 2008).
    package var colour: [Int] {
        switch self {
        case .airBubble: [0, 114, 178]
        case .artifact: [204, 121, 167]
        case .zShift: [0, 158, 115]
        case .illumination: [230, 159, 0]
        case .contamination: [213, 94, 0]
        case .blank, .frozen, .unknown: [86, 180, 233]
        }
    }
}
