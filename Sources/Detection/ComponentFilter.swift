import Mathematics
package import Plate

/// Removes specks from a mask: 8-connected components of few pixels.
package struct ComponentFilter: Sendable, Equatable {
    /// Components of at most this many pixels go.
    package let largestRemovedArea: Int

    /// Chooses the size; the default is the published one.
    package init(largestRemovedArea: Int = 7) {
        precondition(largestRemovedArea >= 0, "no component has \(largestRemovedArea) pixels")
        self.largestRemovedArea = largestRemovedArea
    }

    /// The mask of the pixels above a threshold, without its specks.
    package func mask(of map: ScoreMap, above threshold: Double) -> Mask {
        filtered(map.mask(ofWindowMean: 1, above: Float(largestNotAbove: threshold)))
    }

    /// The mask without its specks; one that nobody else holds is cleaned where it lies.
    package func filtered(_ mask: consuming Mask) -> Mask {
        var kept = mask
        let labelling = RunLabelling(kept, connectivity: .eight)
        var areas = [Int](repeating: 0, count: labelling.runs.count)
        for (run, root) in zip(labelling.runs, labelling.roots) { areas[root] += run.columns.count }
        let width = kept.width
        for (run, root) in zip(labelling.runs, labelling.roots) where areas[root] <= largestRemovedArea {
            for column in run.columns { kept.values[run.row * width + column] = 0 }
        }
        return kept
    }

    /// The components that stay, the largest first.
    package func components(of mask: Mask) -> [Component] {
        let labelling = RunLabelling(mask, connectivity: .eight)
        let pairs = zip(labelling.runs, labelling.roots)
        return Dictionary(grouping: pairs, by: \.1).values
            .map { Self.component(of: $0.map(\.0)) }
            .filter { $0.area > largestRemovedArea }
            .sorted {
                ($1.area, $0.boundingBox.y, $0.boundingBox.x) < ($0.area, $1.boundingBox.y, $1.boundingBox.x)
            }
    }

    /// The threshold from which on a map's mask is empty: the mask above it is, the mask just below it is
    /// not.
    ///
    /// That is the value of the brightest pixel that completes a component too large to be a speck; 0 if none
    /// does.
    package func onset(of map: ScoreMap) -> Float {
        let peak = map.values.reduce(0) { max($0, $1) }
        var floor = peak / 2
        while floor > peak * 0x1p-10 {
            if let onset = OnsetSearch.onset(of: map, above: floor, beyond: largestRemovedArea) {
                return onset
            }
            floor /= 2
        }
        return OnsetSearch.onset(of: map, above: 0, beyond: largestRemovedArea) ?? 0
    }

    private static func component(of runs: [RunLabelling.Run]) -> Component {
        var rows = (low: Int.max, high: Int.min)
        var columns = (low: Int.max, high: Int.min)
        for run in runs {
            rows = (min(rows.low, run.row), max(rows.high, run.row))
            columns = (
                min(columns.low, run.columns.lowerBound), max(columns.high, run.columns.upperBound - 1)
            )
        }
        let box = PixelRectangle(
            x: columns.low,
            y: rows.low,
            width: columns.high - columns.low + 1,
            height: rows.high - rows.low + 1
        )
        return Component(area: runs.reduce(0) { $0 + $1.columns.count }, boundingBox: box)
    }
}
