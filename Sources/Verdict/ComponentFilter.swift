import Mathematics
package import Plate

/// Removes small components from a mask: 8-connected components of few pixels.
package struct ComponentFilter: Sendable, Equatable {
    /// Components of at most this many pixels go.
    package let largestRemovedArea: Int

    /// Chooses the size; the default is the published one.
    package init(largestRemovedArea: Int = 7) {
        precondition(largestRemovedArea >= 0, "no component has \(largestRemovedArea) pixels")
        self.largestRemovedArea = largestRemovedArea
    }

    /// The mask of the pixels above a threshold, without small components.
    package func mask(of map: ScoreMap, above threshold: Double) -> Mask {
        filtered(map.mask(ofWindowMean: 1, above: Float(largestNotAbove: threshold)))
    }

    /// The mask without small components.
    package func filtered(_ mask: consuming Mask) -> Mask { filtered(mask) { _ in true } }

    /// The mask without small components, and without those that have no pixel of a kind; pixels are numbered row by row.
    func filtered(_ mask: consuming Mask, having isCore: (Int) -> Bool) -> Mask {
        var kept = mask
        let labelling = RunLabelling(kept, connectivity: .eight)
        let width = kept.width
        var (areas, cores) = (
            [Int](repeating: 0, count: labelling.runs.count),
            [Bool](repeating: false, count: labelling.runs.count)
        )
        for (run, root) in zip(labelling.runs, labelling.roots) {
            areas[root] += run.columns.count
            if !cores[root] { cores[root] = run.columns.contains { isCore(run.row * width + $0) } }
        }
        for (run, root) in zip(labelling.runs, labelling.roots)
        where areas[root] <= largestRemovedArea || !cores[root] {
            for column in run.columns { kept.values[run.row * width + column] = 0 }
        }
        return kept
    }

    /// The threshold from which on a map's mask is empty: the mask above it is, the mask just below it is not.
    ///
    /// That is the value of the brightest pixel that completes a component too large to be removed; 0 if none does.
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
}

/// Adds the pixels of a map to a mask, the brightest first, and keeps the areas of the components.
struct OnsetSearch {
    private let height: Int
    private let width: Int
    private var parents: [Int: Int] = [:]
    private var areas: [Int: Int] = [:]

    /// The value of the pixel that first makes a component of more than `area` pixels, if one above `floor`
    /// does.
    static func onset(of map: ScoreMap, above floor: Float, beyond area: Int) -> Float? {
        let candidates = map.values.indices.filter { map.values[$0] > floor }
        guard candidates.count > area else { return nil }
        var search = OnsetSearch(height: map.height, width: map.width)
        return candidates.sorted { map.values[$0] > map.values[$1] }
            .first { search.raise($0) > area }
            .map { map.values[$0] }
    }

    private init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    /// Adds one pixel and returns the area of the component that it ends up in.
    private mutating func raise(_ pixel: Int) -> Int {
        parents[pixel] = pixel
        var area = 1
        let (row, column) = pixel.quotientAndRemainder(dividingBy: width)
        for neighbourRow in max(0, row - 1)...min(height - 1, row + 1) {
            for neighbourColumn in max(0, column - 1)...min(width - 1, column + 1) {
                let neighbour = neighbourRow * width + neighbourColumn
                guard let other = root(of: neighbour), other != pixel else { continue }
                parents[other] = pixel
                area += areas[other, default: 0]
            }
        }
        areas[pixel] = area
        return area
    }

    private func root(of pixel: Int) -> Int? {
        guard var parent = parents[pixel] else { return nil }
        while let next = parents[parent], next != parent { parent = next }
        return parent
    }
}
