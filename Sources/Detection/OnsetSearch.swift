import Plate

/// Lets the pixels of a map rise out of the dark, the brightest first, and watches their components grow.
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
