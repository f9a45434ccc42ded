import Foundation
import Frames
import Plate
import TestSupport
import Testing

/// Stacks that are judged while they grow.
@Suite(.serialized) struct GrowingStackTests {
    /// A movie of the two example crops, `F` faulty; each page is a little brighter than the one before.
    private func movie(_ pages: String, of plate: TestPlate) throws -> Data {
        let path = plate.folder.appending(path: "movie.tiff")
        let frames = try [false, true].map { isFaulty in
            try plate.data(faulty: isFaulty).write(to: path)
            return try TIFFReader(path: path.path).frame(page: 0)
        }
        let writer = try TIFFWriter(
            path: path.path,
            height: frames[0].height,
            width: frames[0].width,
            pages: pages.count,
            compression: .none
        )
        for (number, page) in pages.enumerated() {
            var frame = frames[page == "F" ? 1 : 0]
            frame.pixels = frame.pixels.map { min($0 + Float(number), 255) }
            try writer.append(frame)
        }
        return try Data(contentsOf: path)
    }

    private func withDaemon(_ body: (TestPlate, Program) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let program = try Program(plate.watchArguments, in: folder)
            try await until("the first listing is done") { program.said.contains("first listing") }
            try await body(plate, program)
            program.signal(SIGTERM)
            #expect(try await program.end() == 0)
        }
    }

    @Test func eachPageOfAMovieThatGrowsIsJudgedOnce() async throws {
        try await withDaemon { plate, program in
            let file = plate.watched.appending(path: "01_B1_f1.tif")
            for pages in ["N", "NF", "NFN", "NFNN"] {
                try movie(pages, of: plate).write(to: file)
                try await until("\(pages.count) pages are judged", by: program) {
                    plate.counts()[.judged, default: 0] >= pages.count
                }
            }
            program.signal(SIGTERM)
            #expect(try await program.end() == 0)
            #expect(program.said.contains("4 scored, 1 flagged, 0 quarantined"), "\(program.said)")
            let records = try plate.records()
            #expect(records.map { $0.frame?.index } == [1, 2, 3, 4])
            #expect(Set(records.map(\.pages)) == [4] && Set(records.map(\.source.identity)).count == 1)
            // One fault of four frames is no ONSET, and it is told once.
            let alarms = try plate.alarms(run: "01", well: "B01")
            #expect(alarms.count == 1 && alarms[0].contains("event=FAULT"), "\(alarms)")
        }
    }

    /// The same pixels, written again, are nothing new; others are.
    @Test func aFrameThatIsWrittenAgainIsNoNews() async throws {
        try await withDaemon { plate, program in
            try plate.add("01_B1_f1.tiff", faulty: true)
            try await until("it is judged", by: program) { plate.counts()[.judged] == 1 }
            let first = try plate.records()[0]
            try plate.add("01_B1_f1.tiff", faulty: true)
            try await until("the new content is known", by: program) {
                try plate.records()[0].source.identity != first.source.identity
            }
            #expect(try plate.records()[0].judged == first.judged)
            try plate.add("01_B1_f1.tiff", faulty: false)
            try await until("the other content is judged", by: program) {
                try plate.records()[0].judgement?.verdict == .normal
            }
            #expect(try plate.alarms(run: "01", well: "B01").count == 1)
        }
    }

    @Test func whatIsThereIsJudgedAndTheRestWaits() async throws {
        try await withDaemon { plate, program in
            let file = plate.watched.appending(path: "01_B1_f1.tif")
            let whole = try movie("NFN", of: plate)
            // The last directory is not there yet, and its pixels are room that was made.
            var cut = Data(whole.dropLast(500))
            cut.replaceSubrange((cut.count - 40_000)..., with: Data(count: 40_000))
            try cut.write(to: file)
            try await until("two pages are judged", by: program) { plate.counts()[.judged, default: 0] >= 2 }
            #expect(plate.counts() == [.judged: 2])
            try whole.write(to: file)
            try await until("all are judged", by: program) { plate.counts()[.judged, default: 0] >= 3 }
            let records = try plate.records()
            #expect(records.map { $0.judgement?.verdict } == [.normal, .faulty, .normal])
            #expect(try plate.alarms(run: "01", well: "B01").count == 1)
        }
    }
}
