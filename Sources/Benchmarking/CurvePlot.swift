import Tables

/// Curves over the unit square, with their legend beside it.
struct CurvePlot {
    /// A curve and its line in the legend.
    struct Curve {
        /// The same label in several curves stands once in the legend.
        let label: String
        /// Which colour and dashes.
        let style: Int
        let points: [(x: Double, y: Double)]
        var isFaint = false
    }

    let title: String
    let axes: (x: String, y: String)
    let curves: [Curve]
    /// Whether chance is the diagonal.
    let hasDiagonal: Bool

    /// The colours of Okabe and Ito (2008), told apart by the colour-blind; dashes tell them apart in print.
    private static let colours = [
        "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000",
    ]
    private static let dashes = ["", "9 4", "3 3", "12 3 3 3", "6 2", "2 5", "14 5"]
    private static let side = 460.0
    private static let left = 76.0
    private static let top = 48.0
    private static let legend = 400.0

    /// The whole file.
    var svg: String {
        var drawing = Drawing(
            width: Int(Self.left + Self.side + Self.legend),
            height: Int(Self.top + Self.side + 66)
        )
        drawing.text(title, x: Self.left, y: 28, size: 17, isBold: true)
        drawAxes(on: &drawing)
        if hasDiagonal {
            drawing.line([Self.place((0, 0)), Self.place((1, 1))], colour: "#888888", dashes: "2 4")
        }
        for curve in curves {
            let style = curve.style % Self.colours.count
            drawing.line(
                curve.points.map { Self.place($0) },
                colour: Self.colours[style],
                thickness: curve.isFaint ? 1.2 : 2.4,
                dashes: Self.dashes[style],
                opacity: curve.isFaint ? 0.7 : 1
            )
        }
        drawLegend(on: &drawing)
        return drawing.svg
    }

    private func drawAxes(on drawing: inout Drawing) {
        for tick in 0...5 {
            let value = Double(tick) / 5
            let (across, up) = (Self.place((value, 0)), Self.place((0, value)))
            drawing.line([across, Self.place((value, 1))], colour: "#e4e4e4")
            drawing.line([up, Self.place((1, value))], colour: "#e4e4e4")
            drawing.text(value.digits(1), x: across.x, y: across.y + 20, anchor: .middle)
            drawing.text(value.digits(1), x: up.x - 9, y: up.y + 5, anchor: .end)
        }
        let corners = [(0.0, 1.0), (0, 0), (1, 0)].map { Self.place($0) }
        drawing.line(corners, colour: "#222222", thickness: 1.4)
        let middle = Self.place((0.5, 0.5))
        drawing.text(axes.x, x: middle.x, y: Self.top + Self.side + 48, size: 15, anchor: .middle)
        drawing.text(axes.y, x: 24, y: middle.y, size: 15, anchor: .middle, isUpright: true)
    }

    private func drawLegend(on drawing: inout Drawing) {
        var seen: Set<String> = []
        for (index, curve) in curves.filter({ seen.insert($0.label).inserted }).enumerated() {
            let (x, y) = (Self.left + Self.side + 24, Self.top + 18 + 27 * Double(index))
            let style = curve.style % Self.colours.count
            drawing.line(
                [(x, y - 5), (x + 38, y - 5)],
                colour: Self.colours[style],
                thickness: curve.isFaint ? 1.2 : 2.4,
                dashes: Self.dashes[style]
            )
            drawing.text(curve.label, x: x + 48, y: y)
        }
    }

    private static func place(_ point: (x: Double, y: Double)) -> (x: Double, y: Double) {
        (left + side * point.x, top + side * (1 - point.y))
    }
}
