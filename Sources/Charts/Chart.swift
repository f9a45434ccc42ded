/// Curves, limits and marks over two axes: loss curves, ROC and precision-recall curves, control charts, sparklines.
///
/// The same chart is drawn as a file of its own (`file`), with axes, ticks and a legend, or inside a page (`inset`), without
/// them and in the colours of the page's style sheet.
package struct Chart: Sendable {
    /// A value on each axis.
    package typealias Point = (x: Double, y: Double)

    /// A line through points.
    package struct Curve: Sendable {
        /// Its line in the legend; the same label in several curves stands once there.
        package let label: String
        /// Which colour and dashes.
        package let style: Int
        /// The points, in order; points without a place on an axis are left out.
        package let points: [Point]
        /// Whether it is one of many.
        package let isFaint: Bool

        /// A curve.
        package init(_ label: String = "", style: Int = 0, points: [Point], isFaint: Bool = false) {
            (self.label, self.style, self.points, self.isFaint) = (label, style, points, isFaint)
        }
    }

    /// A level on the vertical axis that values are compared with.
    package struct Limit: Sendable {
        /// The level.
        package let value: Double
        /// What is written behind it.
        package let label: String
        /// Its class in a page's style sheet.
        package let kind: String

        /// A limit.
        package init(_ value: Double, label: String = "", kind: String = "") {
            (self.value, self.label, self.kind) = (value, label, kind)
        }
    }

    /// A point that stands out.
    package struct Mark: Sendable {
        /// Where it is.
        package let point: Point
        /// Radius in pixels.
        package let radius: Double
        /// What a reader is told who points at it.
        package let title: String
        /// Its class in a page's style sheet.
        package let kind: String

        /// A mark.
        package init(_ point: Point, radius: Double = 2, title: String = "", kind: String = "") {
            (self.point, self.radius, self.title, self.kind) = (point, radius, title, kind)
        }
    }

    private let x: Axis
    private let y: Axis
    private let curves: [Curve]
    private let limits: [Limit]
    private let marks: [Mark]
    private let hasDiagonal: Bool

    /// A chart; `hasDiagonal` where chance is the diagonal.
    package init(
        x: Axis,
        y: Axis,
        curves: [Curve],
        limits: [Limit] = [],
        marks: [Mark] = [],
        hasDiagonal: Bool = false
    ) {
        (self.x, self.y, self.curves) = (x, y, curves)
        (self.limits, self.marks, self.hasDiagonal) = (limits, marks, hasDiagonal)
    }

    /// The pixels that the axes span.
    fileprivate struct Plot {
        let left: Double
        let top: Double
        let width: Double
        let height: Double

        var right: Double { left + width }
        var bottom: Double { top + height }
    }

    /// Where a point is drawn; `nil` if it has no place on an axis.
    private func place(_ point: Point, in plot: Plot) -> Point? {
        guard let across = x.share(of: point.x), let up = y.share(of: point.y) else { return nil }
        return (plot.left + plot.width * across, plot.bottom - plot.height * up)
    }

    private func level(of limit: Limit, in plot: Plot) -> Double? {
        y.share(of: limit.value).map { plot.bottom - plot.height * $0 }
    }
}

// The chart as a file of its own.
extension Chart {
    /// The colours of Okabe and Ito (2008), told apart by the colour-blind; dashes tell them apart in print.
    private static let colours = [
        "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000",
    ]
    private static let dashes = ["", "9 4", "3 3", "12 3 3 3", "6 2", "2 5", "14 5"]
    /// Width of a letter of the legend.
    private static let letter = 8.6

    /// The chart as an SVG file with a title, axes and a legend; `width` and `height` are those of the plot.
    package func file(title: String, width: Int = 460, height: Int = 460) -> String {
        let plot = Plot(left: 76, top: 48, width: Double(width), height: Double(height))
        let legend = curves.map(\.label.count).max().map { 90 + Self.letter * Double($0) } ?? 30
        var drawing = Drawing(width: Int(plot.right + legend), height: Int(plot.bottom) + 66)
        drawing.text(title, x: plot.left, y: 28, size: 17, isBold: true)
        draw(axesOf: plot, on: &drawing)
        if hasDiagonal {
            let corners = [(plot.left, plot.bottom), (plot.right, plot.top)]
            drawing.line(corners, colour: "#888888", dashes: "2 4")
        }
        for limit in limits {
            guard let level = level(of: limit, in: plot) else { continue }
            drawing.line([(plot.left, level), (plot.right, level)], colour: "#888888", dashes: "5 3")
            drawing.text(limit.label, x: plot.right - 4, y: level - 5, size: 12, anchor: .end)
        }
        for curve in curves { draw(curve, in: plot, on: &drawing) }
        for mark in marks {
            guard let place = place(mark.point, in: plot) else { continue }
            drawing.dot(x: place.x, y: place.y, radius: mark.radius, colour: Self.colours[1])
        }
        draw(legendBeside: plot, on: &drawing)
        return drawing.svg
    }

    private func draw(axesOf plot: Plot, on drawing: inout Drawing) {
        for tick in x.ticks {
            guard let share = x.share(of: tick) else { continue }
            let across = plot.left + plot.width * share
            drawing.line([(across, plot.bottom), (across, plot.top)], colour: "#e4e4e4")
            drawing.text(Axis.label(tick), x: across, y: plot.bottom + 20, anchor: .middle)
        }
        for tick in y.ticks {
            guard let share = y.share(of: tick) else { continue }
            let up = plot.bottom - plot.height * share
            drawing.line([(plot.left, up), (plot.right, up)], colour: "#e4e4e4")
            drawing.text(Axis.label(tick), x: plot.left - 9, y: up + 5, anchor: .end)
        }
        let corners = [(plot.left, plot.top), (plot.left, plot.bottom), (plot.right, plot.bottom)]
        drawing.line(corners, colour: "#222222", thickness: 1.4)
        let middle = (x: plot.left + plot.width / 2, y: plot.top + plot.height / 2)
        drawing.text(x.title, x: middle.x, y: plot.bottom + 48, size: 15, anchor: .middle)
        drawing.text(y.title, x: 20, y: middle.y, size: 15, anchor: .middle, isUpright: true)
    }

    private func draw(_ curve: Curve, in plot: Plot, on drawing: inout Drawing) {
        let style = curve.style % Self.colours.count
        let places = curve.points.compactMap { place($0, in: plot) }
        // A single point makes no line and would not be seen.
        if places.count == 1 {
            drawing.dot(x: places[0].x, y: places[0].y, radius: 4, colour: Self.colours[style])
            return
        }
        drawing.line(
            places,
            colour: Self.colours[style],
            thickness: curve.isFaint ? 1.2 : 2.4,
            dashes: Self.dashes[style],
            opacity: curve.isFaint ? 0.7 : 1
        )
    }

    private func draw(legendBeside plot: Plot, on drawing: inout Drawing) {
        var seen: Set<String> = []
        let listed = curves.filter { !$0.label.isEmpty && seen.insert($0.label).inserted }
        for (index, curve) in listed.enumerated() {
            let (x, y) = (plot.right + 24, plot.top + 18 + 27 * Double(index))
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
}

// The chart inside a page.
extension Chart {
    /// Pixels that a limit's name takes down.
    private static let nameHeight = 10.0

    /// Room that an inset has.
    package struct Room: Sendable {
        /// Pixels across.
        package let width: Int
        /// Pixels down.
        package let height: Int
        /// Pixels around the plot, in which marks may end.
        package let margin: Double
        /// Pixels behind the plot for the names of limits.
        package let names: Double

        /// A room.
        package init(width: Int, height: Int, margin: Double, names: Double = 0) {
            (self.width, self.height, self.margin, self.names) = (width, height, margin, names)
        }
    }

    /// The chart as an element of a page, of a class that the page's style sheet has colours for.
    ///
    /// `sentence` says what is seen to those who cannot; without one the chart is an ornament.
    package func inset(_ kind: String, in room: Room, sentence: String? = nil) -> String {
        let end = Double(room.width) - room.names
        let plot = Plot(
            left: room.margin,
            top: room.margin,
            width: end - 2 * room.margin,
            height: Double(room.height) - 2 * room.margin
        )
        let role =
            sentence.map { "role=\"img\" aria-label=\"\(Drawing.escaped($0))\"" } ?? "aria-hidden=\"true\""
        let lines = curves.map { curve in
            "<polyline points=\"\(Drawing.list(curve.points.compactMap { place($0, in: plot) }))\"/>"
        }
        let parts = [insets(ofLimitsIn: plot, end: end)] + lines + marks.map { inset($0, in: plot) }
        return
            "<svg class=\"\(kind)\" viewBox=\"0 0 \(room.width) \(room.height)\" \(role)>\(parts.joined())</svg>"
    }

    /// Lines, and names behind them where there is room.
    private func insets(ofLimitsIn plot: Plot, end: Double) -> String {
        var named: [Double] = []
        return limits.map { limit in
            guard let level = level(of: limit, in: plot) else { return "" }
            let y = Drawing.number(level)
            let line =
                "<line\(Self.attribute(limit.kind)) x1=\"0\" x2=\"\(Drawing.number(end))\" y1=\"\(y)\" "
                + "y2=\"\(y)\"/>"
            let hasRoom = named.allSatisfy { abs($0 - level) >= Self.nameHeight }
            guard !limit.label.isEmpty, hasRoom else { return line }
            named.append(level)
            return line
                + "<text x=\"\(Drawing.number(end + 4))\" y=\"\(y)\">\(Drawing.escaped(limit.label))</text>"
        }.joined()
    }

    private func inset(_ mark: Mark, in plot: Plot) -> String {
        guard let place = place(mark.point, in: plot) else { return "" }
        let circle =
            "<circle\(Self.attribute(mark.kind)) cx=\"\(Drawing.number(place.x))\" "
            + "cy=\"\(Drawing.number(place.y))\" r=\"\(Drawing.number(mark.radius))\""
        guard !mark.title.isEmpty else { return circle + "/>" }
        return circle + "><title>\(Drawing.escaped(mark.title))</title></circle>"
    }

    private static func attribute(_ kind: String) -> String { kind.isEmpty ? "" : " class=\"\(kind)\"" }
}
