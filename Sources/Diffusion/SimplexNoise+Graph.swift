import CKernels
import Foundation
import ONNX

extension SimplexNoise {
    /// The field of `octaves` with its defaults as a graph: rows x columns, float32; the two are scalars.
    ///
    /// The kernel behind `octaves` goes from vertex to vertex. A graph goes from pixel to pixel: at most four vertices are near enough,
    /// the three of its triangle and one beyond. Coordinates are computed in double, distances from the vertices in float32.
    func graph(rows: ONNXValue, columns: ONNXValue) -> ONNXValue {
        let graph = rows.graph
        let (octaves, shape) = (0..<Self.octaveCount, [Self.octaveCount, 1, 1])
        let pitches = octaves.map { Double(1 << $0) / Self.firstFrequency }
        let amplitudes = octaves.map { aqc_simplex_norm * pow(Self.persistence, Double($0)) }
        let pitch = graph.constant(pitches, shape: shape, type: .double)
        func places(_ length: ONNXValue) -> ONNXValue {
            ONNXValue.range(from: graph.constant([0]), to: length).cast(to: .double)
        }
        let pixels = LatticePixels(
            x: places(columns) * pitch,
            y: places(rows).reshaped([-1, 1]) * pitch,
            permutation: permutation
        )
        return (pixels.slopes() * graph.constant(amplitudes, shape: shape)).summedOverFirstAxis()
    }
}

/// Pixels between the vertices of the lattice, octave by octave.
private struct LatticePixels {
    private let graph: ONNXGraph
    /// The vertex (a, b) below each pixel.
    private let a, b: ONNXValue
    /// The way from this vertex to the pixel.
    private let x, y: ONNXValue
    /// The same in lattice coordinates, in [0, 1).
    private let u, v: ONNXValue
    /// The permutation, and the slope along x and y for each of its places.
    private let permutation, along, across: ONNXValue

    init(x: ONNXValue, y: ONNXValue, permutation: [UInt8]) {
        graph = x.graph
        let stretched = (x + y) * aqc_simplex_stretch
        let (column, row) = (x + stretched, y + stretched)
        let (a, b) = (graph.node("Floor", [column]), graph.node("Floor", [row]))
        let squished = (a + b) * aqc_simplex_squish
        self.x = (x - a - squished).cast(to: .float)
        self.y = (y - b - squished).cast(to: .float)
        (u, v) = ((column - a).cast(to: .float), (row - b).cast(to: .float))
        (self.a, self.b) = (a.cast(to: .int32), b.cast(to: .int32))
        let slopes = permutation.map { number in
            var slope = [0.0, 0.0]
            unsafe aqc_simplex_slope(number, &slope)
            return slope
        }
        let shape = [permutation.count]
        self.permutation = graph.constant(permutation.map { Int($0) }, shape: shape, type: .int32)
        along = graph.constant(slopes.map { $0[0] }, shape: shape)
        across = graph.constant(slopes.map { $0[1] }, shape: shape)
    }

    /// The sum of what the vertices near each pixel add.
    func slopes() -> ONNXValue {
        let (zero, one) = (graph.constant([0.0]), graph.constant([1.0]))
        // A cell is two triangles: the nearer one has the vertex (0, 0), the farther one (1, 1).
        let sum = u + v
        let isFarther = sum > one
        let third = isFarther.choose(one, zero)
        // Within its triangle: how near the pixel is to that vertex.
        let nearness = third + 1 - sum
        let isAtThird =
            isFarther && graph.node("Max", [u, v]) > nearness
            || graph.node("Not", [isFarther]) && nearness > graph.node("Min", [u, v])
        let side = (u > v).choose(one, graph.constant([-1.0]))
        let fourth = (
            isAtThird.choose(third + side, 1 - third), isAtThird.choose(third - side, 1 - third)
        )
        return share(of: (one, zero)) + share(of: (zero, one)) + share(of: (third, third)) + share(of: fourth)
    }

    /// What a vertex adds to each pixel, by its place from the one below: (2 - d^2)^4 (slope . d), within d^2 < 2.
    private func share(of vertex: (a: ONNXValue, b: ONNXValue)) -> ONNXValue {
        let squished = (vertex.a + vertex.b) * aqc_simplex_squish
        let (dx, dy) = (x - vertex.a - squished, y - vertex.b - squished)
        let fall = graph.node("Relu", [2 - dx * dx - dy * dy])
        let square = fall * fall
        let first = permutation.gather((a + vertex.a.cast(to: .int32)) % 256)
        let place = (first + b + vertex.b.cast(to: .int32)) % 256
        return square * square * (along.gather(place) * dx + across.gather(place) * dy)
    }
}
