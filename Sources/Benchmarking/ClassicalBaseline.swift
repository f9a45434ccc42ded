import Detection
import Foundation
package import Plate
import Training

/// What a user would try first: classical quality metrics and their robust distance from the normal frames.
///
/// It needs no training and judges whole frames: it has one score, which stands for all three image scores,
/// and no map.
package final class ClassicalBaseline: BenchmarkMethod {
    /// `classical`.
    package let name = "classical"
    /// What it is, and from how many frames.
    package private(set) var summary = "quality metrics, robust Mahalanobis distance, no training"
    private var distance: RobustDistance?
    /// More normal frames than these do not move the median of eight numbers.
    private static let mostFrames = 1000
    /// Changes when the metrics or the distance do.
    private static let version = "1"

    /// Nothing is known yet.
    package init() {}

    /// The normal frames that it measures, by path, size and time of change.
    package func fingerprint(_ context: MethodContext) -> String {
        let chosen = Self.chosen(context.normal)
        summary =
            "8 quality metrics, robust Mahalanobis distance from \(chosen.count) normal frames, no training"
        let lines = chosen.map { Self.identity($0.image) }
        return Digest.sha256(Data((["classical", Self.version] + lines).joined(separator: "\n").utf8))
    }

    /// Measures the normal frames; the measurements are kept, so that a second run goes on.
    package func prepare(_ context: MethodContext) throws {
        let path = context.folder.appending(path: "metrics-\(Self.version).json")
        let kept = (try? Data(contentsOf: path)).flatMap {
            try? JSONDecoder().decode([String: QualityMetrics].self, from: $0)
        }
        var known = kept ?? [:]
        let chosen = Self.chosen(context.normal)
        defer { try? JSONEncoder().encode(known).write(to: path, options: .atomic) }
        var points: [[Double]] = []
        var unreadable: [String] = []
        for (index, row) in chosen.enumerated() {
            try context.report(index, chosen.count)
            let identity = Self.identity(row.image)
            do {
                let metrics = try known[identity] ?? QualityMetrics(of: try row.readFrame())
                known[identity] = metrics
                points.append(metrics.features)
            } catch { unreadable.append("\(row.place): \(error)") }
        }
        try context.report(chosen.count, chosen.count)
        guard !points.isEmpty else {
            throw BenchmarkError(
                unreadable.first ?? "needs normal frames: list them in normal_train.csv with label 0"
            )
        }
        if let first = unreadable.first {
            try context.note("\(unreadable.count) normal frames are left out, the first: \(first)")
        }
        distance = RobustDistance(points: points)
    }

    /// Measures the frame.
    package func assess(_ frame: Frame, report: (_ done: Int, _ all: Int) -> Void) throws -> Assessment {
        guard let distance else { preconditionFailure("classical: assessed before it was prepared") }
        return Assessment(score: distance.distance(of: QualityMetrics(of: frame).features))
    }

    /// No network, no passes.
    package func passesPerFrame(height: Int, width: Int) -> Int { 0 }

    /// Evenly spread over the list.
    private static func chosen(_ rows: [FramePaths.Labelled]) -> [FramePaths.Labelled] {
        guard rows.count > mostFrames else { return rows }
        return (0..<mostFrames).map { rows[$0 * rows.count / mostFrames] }
    }

    private static func identity(_ path: String) -> String {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        let size = (attributes?[.size] as? NSNumber)?.intValue ?? 0
        let changed = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
        return "\(path) \(size) \(changed)"
    }
}
