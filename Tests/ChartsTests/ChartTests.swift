import Foundation
import FoundationXML
import Testing

@testable import Charts

struct AxisTests {
    @Test func aLinearAxisEndsAtARoundNumber() {
        #expect(Axis("step", fitting: [0, 2437]).ticks == [0, 500, 1000, 1500, 2000, 2500])
        #expect(Axis("share", fitting: [1]).ticks.map(Axis.label) == ["0", "0.2", "0.4", "0.6", "0.8", "1"])
        #expect(Axis("none", fitting: []).range == 0...1)
        #expect(Axis("none", fitting: [.infinity, .nan, -3]).range == 0...1)
    }

    @Test func aLogarithmicAxisCoversItsValues() {
        let axis = Axis("loss", fitting: [0.0433, 0.1687, 0, -1], scale: .logarithmic)
        #expect(axis.ticks.map(Axis.label) == ["0.02", "0.05", "0.1", "0.2"])
        #expect(axis.share(of: 0) == nil && axis.share(of: -1) == nil && axis.share(of: .nan) == nil)
        #expect(axis.share(of: 0.02) == 0 && axis.share(of: 0.2) == 1)
        let wide = Axis("p", fitting: [1e-6, 3], scale: .logarithmic)
        #expect(wide.ticks.allSatisfy { Axis.label($0).contains { "1".contains($0) } })
        for values in [[1.0], [10], [5, 5], [0.001, 1000]] as [[Double]] {
            let axis = Axis("", fitting: values, scale: .logarithmic)
            #expect(
                values.allSatisfy { (0...1).contains(axis.share(of: $0) ?? -1) },
                "\(values) in \(axis.range)"
            )
        }
    }

    @Test func rootsSpreadSmallValues() {
        let axis = Axis(0...16, scale: .squareRoot)
        #expect(axis.share(of: 4) == 0.5 && axis.share(of: -1) == 0)
    }
}

struct ChartTests {
    private let chart = Chart(
        x: Axis("false alarm rate", fitting: [1]),
        y: Axis("recall <%>", fitting: [1]),
        curves: [
            Chart.Curve("a & \"b\"", style: 0, points: [(0, 0), (0.5, .nan), (1, 1)]),
            Chart.Curve("pixels", style: 1, points: [(0.2, 0.4)], isFaint: true),
            Chart.Curve("pixels", style: 1, points: [(0, 0), (1, 0.8)], isFaint: true),
        ],
        limits: [Chart.Limit(0.9, label: "limit", kind: "s3")],
        marks: [Chart.Mark((0.5, 0.5), title: "run <1>", kind: "this out")],
        hasDiagonal: true
    )

    /// The elements of a well-formed document, by name.
    private func elements(_ text: String) throws -> [String: [[String: String]]] {
        final class Reader: NSObject, XMLParserDelegate {
            var found: [String: [[String: String]]] = [:]
            func parser(
                _ parser: XMLParser,
                didStartElement name: String,
                namespaceURI: String?,
                qualifiedName: String?,
                attributes: [String: String]
            ) { found[name, default: []].append(attributes) }
        }
        let (reader, parser) = (Reader(), XMLParser(data: Data(text.utf8)))
        parser.delegate = reader
        try #require(parser.parse(), "\(String(describing: parser.parserError))")
        return reader.found
    }

    @Test func aFileHasAxesCurvesAndALegend() throws {
        let file = chart.file(title: "ROC\u{1}, a & b")
        let found = try elements(file)
        #expect(file.contains("ROC, a &amp; b") && file.contains("recall &lt;%&gt;"))
        // 12 lines of the grid, the axes, the diagonal, the limit, two curves, and two lines of the legend.
        #expect(found["polyline"]?.count == 19)
        // The curve of one point, and the mark.
        #expect(found["circle"]?.count == 2)
        #expect(file.components(separatedBy: ">pixels<").count == 2, "once in the legend")
        #expect(!file.contains("nan"))
    }

    @Test func anInsetLeavesColoursToThePage() throws {
        let inset = chart.inset(
            "lens",
            in: Chart.Room(width: 300, height: 60, margin: 5, names: 30),
            sentence: "Seven \"runs\""
        )
        let found = try elements(inset)
        #expect(
            found["svg"]?.first?["class"] == "lens" && found["svg"]?.first?["aria-label"] == "Seven \"runs\""
        )
        #expect(found["line"]?.first?["class"] == "s3" && found["line"]?.first?["x2"] == "270")
        #expect(
            found["circle"]?.first?["class"] == "this out" && inset.contains("<title>run &lt;1&gt;</title>")
        )
        #expect(found["circle"]?.first?["cx"] == "135" && found["circle"]?.first?["cy"] == "30")
        #expect(!inset.contains("fill=") && !inset.contains("style=") && !inset.contains("stroke="))
        let ornament = chart.inset("spark", in: Chart.Room(width: 100, height: 20, margin: 2))
        #expect(ornament.contains("aria-hidden=\"true\""))
    }
    @Test func namesOfLimitsDoNotLieOnOneAnother() {
        let limits = [1, 1.1, 5].map { Chart.Limit($0, label: "at \($0)") }
        let chart = Chart(x: Axis(0...1), y: Axis(0...10), curves: [], limits: limits)
        let inset = chart.inset("lens", in: Chart.Room(width: 100, height: 60, margin: 0, names: 20))
        #expect(inset.components(separatedBy: "<line").count == 4)
        #expect(inset.contains(">at 1.0<") && !inset.contains(">at 1.1<") && inset.contains(">at 5.0<"))
    }
}
