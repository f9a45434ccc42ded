import Foundation
import Frames

/// Lines over two axes, as a PNG of 960 x 540.
struct LinePlot {
    struct Line {
        let label: String
        let colour: (UInt8, UInt8, UInt8)
        let points: [(x: Double, y: Double)]
    }

    let title: String
    let lines: [Line]

    private static let size = (width: 960, height: 540)
    private static let margin = (left: 90, right: 30, top: 40, bottom: 50)
    private static let ticks = 5
    private static let letterScale = 3

    /// Draws the plot; axes start at zero.
    func image() -> PNGImage {
        var canvas = Canvas(width: Self.size.width, height: Self.size.height)
        let points = lines.flatMap(\.points)
        let limit = (x: Self.niceLimit(points.map(\.x)), y: Self.niceLimit(points.map(\.y)))
        drawAxes(on: &canvas, limit: limit)
        for (index, line) in lines.enumerated() {
            let places = line.points.map { Self.place($0, limit: limit) }
            for (a, b) in zip(places, places.dropFirst()) { canvas.line(from: a, to: b, colour: line.colour) }
            // A single point makes no line and would not be seen.
            if places.count == 1 { canvas.dot(at: places[0], colour: line.colour) }
            canvas.text(
                line.label,
                x: Self.size.width - 260,
                y: Self.margin.top + 10 + 26 * index,
                scale: Self.letterScale,
                colour: line.colour
            )
        }
        return PNGImage(
            height: canvas.height,
            width: canvas.width,
            colour: .rgb,
            bytes: canvas.bytes
        )
    }

    private func drawAxes(on canvas: inout Canvas, limit: (x: Double, y: Double)) {
        let black: (UInt8, UInt8, UInt8) = (40, 40, 40)
        canvas.text(title, x: Self.margin.left, y: 12, scale: Self.letterScale, colour: black)
        for tick in 0...Self.ticks {
            let share = Double(tick) / Double(Self.ticks)
            let across = Self.place((limit.x * share, 0), limit: limit)
            let up = Self.place((0, limit.y * share), limit: limit)
            canvas.line(
                from: up,
                to: Self.place((limit.x, limit.y * share), limit: limit),
                colour: (225, 225, 225)
            )
            canvas.text(
                Self.label(limit.x * share),
                x: across.x - 20,
                y: across.y + 14,
                scale: Self.letterScale,
                colour: black
            )
            canvas.text(
                Self.label(limit.y * share),
                x: 8,
                y: up.y - 7,
                scale: Self.letterScale,
                colour: black
            )
        }
        let origin = Self.place((0, 0), limit: limit)
        canvas.line(from: origin, to: Self.place((limit.x, 0), limit: limit), colour: black)
        canvas.line(from: origin, to: Self.place((0, limit.y), limit: limit), colour: black)
    }

    private static func place(
        _ point: (x: Double, y: Double),
        limit: (x: Double, y: Double)
    ) -> (x: Int, y: Int) {
        let width = Double(size.width - margin.left - margin.right)
        let height = Double(size.height - margin.top - margin.bottom)
        return (
            margin.left + Int(width * point.x / limit.x),
            size.height - margin.bottom - Int(height * min(point.y / limit.y, 1))
        )
    }

    /// The next of 1, 2, 5 and their tenfolds that no value exceeds.
    private static func niceLimit(_ values: [Double]) -> Double {
        let largest = values.filter(\.isFinite).max() ?? 1
        guard largest > 0 else { return 1 }
        let power = pow(10, floor(log10(largest)))
        return ([1, 2, 5, 10].first { $0 * power >= largest } ?? 10) * power
    }

    private static func label(_ value: Double) -> String {
        value == value.rounded() ? "\(Int(value))" : "\((value * 10_000).rounded() / 10_000)"
    }
}

/// A white RGB image to draw on.
struct Canvas {
    let width: Int
    let height: Int
    private(set) var bytes: [UInt8]

    init(width: Int, height: Int) {
        (self.width, self.height) = (width, height)
        bytes = [UInt8](repeating: 255, count: width * height * 3)
    }

    /// A line two pixels thick.
    mutating func line(from a: (x: Int, y: Int), to b: (x: Int, y: Int), colour: (UInt8, UInt8, UInt8)) {
        let count = max(abs(b.x - a.x), abs(b.y - a.y), 1)
        for step in 0...count {
            let (x, y) = (a.x + (b.x - a.x) * step / count, a.y + (b.y - a.y) * step / count)
            ink(x, y, colour)
            ink(x, y + 1, colour)
        }
    }

    /// A square of 9 pixels.
    mutating func dot(at centre: (x: Int, y: Int), colour: (UInt8, UInt8, UInt8)) {
        for row in -4...4 { for column in -4...4 { ink(centre.x + column, centre.y + row, colour) } }
    }

    mutating func text(_ text: String, x: Int, y: Int, scale: Int, colour: (UInt8, UInt8, UInt8)) {
        for (index, character) in text.enumerated() {
            let left = x + index * (PixelFont.width + 1) * scale
            for row in 0..<PixelFont.height * scale {
                for column in 0..<PixelFont.width * scale
                where PixelFont.isInked(character, row: row / scale, column: column / scale) {
                    ink(left + column, y + row, colour)
                }
            }
        }
    }

    private mutating func ink(_ x: Int, _ y: Int, _ colour: (UInt8, UInt8, UInt8)) {
        guard (0..<width).contains(x), (0..<height).contains(y) else { return }
        let index = (y * width + x) * 3
        (bytes[index], bytes[index + 1], bytes[index + 2]) = colour
    }
}
