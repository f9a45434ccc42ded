import Foundation
import TestSupport
import Testing

/// A judged run in the forms that other tools read, through the built program.
@Suite(.serialized) struct ExportFormsTests {
    /// A plate with one frame of a normal well and six of a faulty one, judged.
    private func withJudgedPlate(_ body: (TestPlate) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            try plate.add("01_A1_f0.tiff")
            for frame in 0..<6 { try plate.add("01_B1_f\(frame).tiff", faulty: true) }
            let watch = try Program(plate.watchArguments + ["--once"], in: folder)
            #expect(try await watch.end() == 0)
            try await body(plate)
        }
    }

    private func export(_ options: [String], _ plate: TestPlate) async throws -> String {
        let program = try Program(["export", plate.out.path] + options, in: plate.folder)
        #expect(try await program.end() == 0, "\(program.said)")
        return program.said
    }

    @Test func anExportThatWasKilledGoesOnAndEndsTheSame() async throws {
        try await withJudgedPlate { plate in
            let (whole, cut) = (plate.folder.appending(path: "whole"), plate.folder.appending(path: "cut"))
            _ = try await export(["--ome-zarr", whole.path], plate)
            // The system kills it where a file gets larger than the frame of the first well and smaller than those of the second.
            let killed = try await Program.shell(
                "ulimit -c 0; ulimit -f 96; exec '\(Program.path)' export '\(plate.out.path)' --ome-zarr '\(cut.path)'",
                in: plate.folder
            )
            #expect(killed.status != 0)
            let there = { (name: String) in
                FileManager.default.fileExists(atPath: cut.appending(path: name).path)
            }
            #expect(there("A/1/0/zarr.json") && !there("B/1/0/zarr.json"), "\(killed.said)")
            _ = try await export(["--ome-zarr", cut.path], plate)
            let same = try await Program.shell("diff -r '\(whole.path)' '\(cut.path)'", in: plate.folder)
            #expect(same.status == 0, "\(same.said)")
        }
    }

    @Test func anotherExportIsNotMixedIn() async throws {
        try await withJudgedPlate { plate in
            let folder = plate.folder.appending(path: "rois").path
            _ = try await export(["--rois", folder], plate)
            let program = try Program(
                ["export", plate.out.path, "--label-images", folder],
                in: plate.folder
            )
            #expect(try await program.end() == 1)
            #expect(program.said.contains("is not empty; name a new folder"))
        }
    }

    @Test func aCrateHoldsWhatIsKnownOfARun() async throws {
        try await withJudgedPlate { plate in
            let crate = plate.folder.appending(path: "crate").path
            _ = try await export(["--crate", crate], plate)
            let check = try await Program.shell(
                "cd '\(crate)' && sha256sum --check --strict --quiet manifest-sha256.txt",
                in: plate.folder
            )
            #expect(check.status == 0, "\(check.said)")
            let names = try FileManager.default.subpathsOfDirectory(atPath: crate)
            for name in [
                "quality-record.mzqc.json", "usable-frames.csv", "wells.csv", "review.html",
                "masks/01_B1_f0.mask.tiff", "masks/01_B1_f0.mask.geojson", "alarms/B01.log",
                "ro-crate-metadata.json",
            ] { #expect(names.contains(name), "\(name) is missing") }
            let listed = try String(contentsOfFile: "\(crate)/manifest-sha256.txt", encoding: .utf8)
            for name in names where name.contains(".") && name != "manifest-sha256.txt" {
                #expect(listed.contains("  \(name)\n"), "\(name) is not listed")
            }
        }
    }

    @Test func aFrameThatIsGoneIsSaid() async throws {
        try await withJudgedPlate { plate in
            try FileManager.default.removeItem(at: plate.watched.appending(path: "01_B1_f1.tiff"))
            let program = try Program(["export", plate.out.path, "--record"], in: plate.folder)
            #expect(try await program.end() == 1)
            #expect(program.said.contains("1 files of frames are gone"))
            #expect(program.printed.contains("\"mzQC\""))
        }
    }
}
