import Faults
import Foundation
import Frames
import Plate
import TestSupport
import Testing

@testable import Simulation

struct PlatePlayerTests {
    private static func settings(_ writer: PlateWriter = .plain, _ layout: PlateLayout = .flat)
        -> PlateSettings
    {
        PlateSettings(
            wells: 2,
            frames: 3,
            speed: 10_000,
            writer: writer,
            layout: layout,
            height: 40,
            width: 56
        )
    }

    private static let script = FaultScript([
        FaultScript.Entry(
            kind: .illumination,
            form: .overExposure,
            wells: [Well("A2")].compactMap { $0 },
            onset: .frame(1),
            end: .frame(2),
            strength: 1
        )
    ])

    private static func files(in folder: URL) throws -> Set<String> {
        Set(
            try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".tiff") }
        )
    }

    @Test(
        arguments: PlateWriter.allCases.map { ($0, PlateLayout.flat) }
            + [(.plain, .perWell), (.rename, .perWell), (.slow, .movie), (.rename, .movie)]
    )
    func everyWayOfWritingLeavesTheSameFramesAndTheirTruth(writer: PlateWriter, layout: PlateLayout)
        async throws
    {
        try await withTemporaryFolder { folder in
            let out = folder.appending(path: "plate")
            let truth = folder.appending(path: "truth.csv").path
            let settings = Self.settings(writer, layout)
            let player = try PlatePlayer(settings, script: Self.script, folder: out.path, truth: truth)
            let summary = try player.run()
            #expect(summary.frames == 6 && summary.faulty == 1 && !summary.endedEarly)
            let rows = try TruthRow.load(path: truth)
            #expect(Set(rows.map(\.file)) == (try Self.files(in: out)))
            #expect(Set(rows.map(\.frame)).count == 6)
            let faulty = rows.filter { !$0.faults.isEmpty }
            #expect(faulty.map(\.frame.description) == ["01_A02_f1"])
            #expect(faulty.first?.faults == [TruthRow.Shown(kind: .illumination, strength: 1)])
            for row in rows {
                let reader = try TIFFReader(path: out.appending(path: row.file).path)
                #expect(reader.pageCount == (layout == .movie ? 3 : 1))
                let frame = try reader.frame(page: layout == .movie ? row.frame.index : 0)
                var scene = Microscope(Microscope.Settings(height: 40, width: 56))
                    .scene(of: row.frame.well, faults: try Self.script.faults(settings)[row.frame.well] ?? [])
                #expect(frame == scene.frame(row.frame.index).frame)
                #expect(reader.pixelSize == PixelSize(x: 0.645, y: 0.645))
            }
            let left = try FileManager.default.subpathsOfDirectory(atPath: out.path)
            #expect(!left.contains { $0.hasSuffix(".part") }, "no temporary file stays")
        }
    }

    @Test(arguments: [(PlateWriter.slow, PlateLayout.flat), (.plain, .flat), (.rename, .movie)])
    func anInterruptedPlateHasWholeFilesAndATruthOfThem(writer: PlateWriter, layout: PlateLayout) async throws
    {
        try await withTemporaryFolder { folder in
            let out = folder.appending(path: "plate")
            let truth = folder.appending(path: "truth.csv").path
            var frames = 0
            let player = try PlatePlayer(Self.settings(writer, layout), folder: out.path, truth: truth)
            let summary = try player.run(isInterrupted: { frames >= 3 }) { frames = $0.frames }
            #expect(summary.endedEarly && summary.frames == 3)
            let rows = try TruthRow.load(path: truth)
            #expect(rows.count == 3)
            #expect(Set(rows.map(\.file)) == (try Self.files(in: out)))
            for row in rows {
                let reader = try TIFFReader(path: out.appending(path: row.file).path)
                _ = try reader.frame(page: reader.pageCount - 1)
            }
        }
    }

    @Test func nothingIsOverwrittenAndTheTruthStaysOutOfTheDaemonsSight() async throws {
        try await withTemporaryFolder { folder in
            let out = folder.appending(path: "plate").path
            let truth = folder.appending(path: "truth.csv").path
            for inside in ["\(out)/truth.csv", "\(out)/A1/../truth.csv", "\(folder.path)/./plate/t"] {
                #expect(throws: SimulationError.self, "\(inside)") {
                    _ = try PlatePlayer(Self.settings(), folder: out, truth: inside)
                }
            }
            _ = try PlatePlayer(Self.settings(), folder: out, truth: truth).run()
            for other in [truth, "\(folder.path)/truth2.csv"] {
                let error = #expect(throws: SimulationError.self) {
                    _ = try PlatePlayer(Self.settings(), folder: out, truth: other).run()
                }
                #expect(error?.description.contains("there already") ?? false)
            }
        }
    }

    @Test func aPlateThatCannotBeIsRefusedInASentence() {
        for change: (inout PlateSettings) -> Void in [
            { $0.wells = 0 }, { $0.wells = 385 }, { $0.interval = .nan }, { $0.frames = 0 }, { $0.speed = 0 },
            { $0.run = "a,b" }, { $0.run = "" }, { $0.run = "../up" }, { $0.height = 8 },
        ] {
            var settings = PlateSettings()
            change(&settings)
            #expect(throws: SimulationError.self) {
                _ = try PlatePlayer(settings, folder: "/nowhere/plate", truth: "/nowhere/truth.csv")
            }
        }
    }

    @Test func lensesTakeTurnsOverTheInterval() throws {
        let plan = PlatePlan(PlateSettings(wells: 64, interval: 8))
        #expect(plan.wells.count == 64 && Set(plan.wells).count == 64)
        let steps = (0..<128).map(plan.step)
        #expect(
            steps[..<16].map { $0.frame.well.fileName }.sorted() == [
                "A1", "A2", "A3", "A4", "B1", "B2", "B3", "B4", "C1", "C2", "C3", "C4", "D1", "D2", "D3",
                "D4",
            ]
        )
        #expect(steps[1].due == .milliseconds(125))
        #expect(steps[64].due == .seconds(8) && steps[64].frame.index == 1)
        var burst = PlateSettings(wells: 64, interval: 8, speed: 2)
        burst.writer = .burst
        #expect(Set((0..<64).map { PlatePlan(burst).step($0).due }) == [.seconds(4)])
        #expect(Set(ScanOrder.wells(384)).count == 384)
        #expect(ScanOrder.wells(384).allSatisfy { $0.row < 16 && $0.column <= 24 })
    }

    @Test func aheadIsBoundedAndInOrder() throws {
        let made = Counter()
        let ahead = LookAhead(count: 50, depth: 4, workers: 3) { number throws(SimulationError) in
            made.add()
            if number == 40 { throw SimulationError("no room") }
            return number * number
        }
        for number in 0..<40 {
            #expect(try ahead.item(number, unless: { false }) == number * number)
            #expect(made.value <= number + 1 + 4)
        }
        #expect(throws: SimulationError.self) { _ = try ahead.item(40, unless: { false }) }
        #expect(try ahead.item(41, unless: { true }) == nil)
        ahead.stop()
    }
}
