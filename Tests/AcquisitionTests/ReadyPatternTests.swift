import Foundation
import Plate
import Testing

@testable import Acquisition

/// Names as the systems write them, several generations of each.
struct ReadyPatternTests {
    /// What `read` gives, as text: run, place and index.
    private func read(_ pattern: String, _ path: String) throws -> String? {
        try FramePattern(pattern).match(relativePath: path, rootName: "root").map {
            "\($0.run) \($0.place) f\($0.index)"
        }
    }

    @Test(arguments: [
        ("complexeye", "01_B1_f100.tiff", "01 B01 f100"), ("complexeye", "01_b01_f7.TIF", "01 B01 f7"),
        ("phenix", "r02c03f01p01-ch1sk1fk1fl1.tiff", "root B03_s1_z1_c1 f1"),
        (
            "phenix", "Plate 7__2024-01-01T10_00_00-Measurement 1/Images/r16c24f012p03-ch2sk25fk1fl1.tiff",
            "Plate 7__2024-01-01T10_00_00-Measurement 1 P24_s12_z3_c2 f25"
        ),
        ("phenix", "Images/r32c48f01p01-ch10sk1fk1fl1.tif", "root AF48_s1_z1_c10 f1"),
        ("phenix", "r02c07f01p01rc1-ch1sk1fk1fl1.tiff", "root B07_s1_z1_c1 f1"),
        ("incell", "A - 01(fld 1 wv UV - DAPI z 3 time 2 - 2636ms).tif", "root A01_s1_z3_cUV - DAPI f2"),
        ("incell", "day 1/H - 12(fld 09 wv 473 - Green1).tif", "day 1 H12_s9_c473 - Green1 f0"),
        ("incell", "A - 1(fld 1 wv Green - dsRed z 3).tif", "root A01_s1_z3_cGreen - dsRed f0"),
        ("incell", "002_scan_B - 2(fld 1 wv Cy3 - Cy3 wix 1).tif", "002_scan B02_s1_cCy3 - Cy3 f0"),
        ("incell", "P - 24(wv TL-Brightfield - Cy3 time 12).tif", "root P24_cTL-Brightfield - Cy3 f12"),
        (
            "imagexpress", "TimePoint_12/plate_A01_s1_w1b71ae91c-75e6-426c-8b41-71a5693784e3.tif",
            "plate A01_s1_c1 f12"
        ),
        (
            "imagexpress", "p_7/TimePoint_1/p_A01_s9_w25B71AE91-75E6-426C-8B41-71A5693784E3.TIF",
            "p A01_s9_c2 f1"
        ),
        ("imagexpress", "plate1_Plate_2387/TimePoint_3/plate1_B02.TIF", "plate1 B02 f3"),
        ("imagexpress", "plate/TimePoint_1/ZStep_4/A01_s2_w3.tif", "plate A01_s2_z4_c3 f1"),
        ("imagexpress", "A01_s1_w1_z5.tif", "root A01_s1_z5_c1 f0"),
        ("imagexpress", "B2_plate_A01_s1_w1.tif", "B2_plate A01_s1_c1 f0"),
        ("imagexpress", "A1_A02_w1.tif", "A1 A02_c1 f0"),
        ("incucyte", "VID1234_A1_1_00d08h00m.tif", "VID1234 A01_s1 f480"),
        ("incucyte", "MiaPaCa2-PhaseOriginal_A2_1_03d06h40m.tif", "MiaPaCa2-PhaseOriginal A02_s1 f4720"),
        ("incucyte", "VID288_Phase_B10_16_2017y05m02d_13h06m.tif", "VID288_Phase B10_s16 f24895506"),
        ("yokogawa", "plate_A01_T0001F001L01A01Z01C01.tif", "plate A01_s1_z1_c01 f1"),
        (
            "yokogawa", "AssayPlate_Greiner_#655090_P24_T0012F004L01A02Z03C04.tif",
            "AssayPlate_Greiner_#655090 P24_s4_z3_c04 f12"
        ),
        ("micromanager", "MMStack_A1-Site_0.ome.tif", "root A01_s0 f0"),
        ("micromanager", "scan_1/scan_1_MMStack_H12-Site_3_1.ome.tif", "scan_1 H12_s3 f0"),
        ("micromanager", "scan_1/scan_1_MMStack_Pos4.ome.tif", "scan_1 A01_s4 f0"),
        ("micromanager", "scan_1_MMStack_Default.ome.tif", "scan_1 A01 f0"),
        (
            "micromanager", "scan_1/A1-Site_2/img_000000007_DAPI filter_003.tif",
            "scan_1 A01_s2_z3_cDAPI filter f7"
        ),
        (
            "micromanager", "scan_1/Pos3/img_channel001_position003_time000000012_z002.tif",
            "scan_1 A01_s3_z2_c001 f12"
        ),
        ("micromanager", "E01/img_channel000_position008_time000000000_z000.tif", "root E01_z0_c000 f0"),
        ("micromanager", "Pos1/img.tif", "root A01_s1 f0"),
    ])
    func namesOfTheSystemsAreRead(pattern: String, path: String, expected: String) throws {
        #expect(try read(pattern, path) == expected)
    }

    @Test(arguments: [
        ("phenix", "r02c03f01p01-ch1sk1fk1fl1 (1).tiff"), ("phenix", "r33c03f01p01-ch1sk1fk1fl1.tiff"),
        ("imagexpress", "plate_A01_s1_w1 - Copy.tif"), ("imagexpress", "Plate7_C05_s2_t0013_w1.tif"),
        ("incucyte", "VID1234_A1_1.tif"),
        ("yokogawa", "W0001F0001T0001Z001C1.tif"), ("incell", "A - 01(fld 1).tif"),
        ("micromanager", "scan/1-Pos_000_000/img_000000000_DAPI_000.tif"),
    ])
    func otherNamesAreRefused(pattern: String, path: String) throws {
        guard case .refused(let reason) = try FramePattern(pattern).read(relativePath: path, rootName: "root")
        else {
            Issue.record("\(path) was not refused")
            return
        }
        #expect(reason.contains(pattern))
    }

    @Test func thumbnailsOfImageXpressArePassedOver() throws {
        let name = "TimePoint_1/plate_A01_s1_w1_thumb5B71AE91-75E6-426C-8B41-71A5693784E3.tif"
        #expect(try FramePattern("imagexpress").read(relativePath: name) == .ignored)
    }

    @Test func everyReadyPatternReadsItsExampleAndNoOtherDoes() throws {
        for ready in ReadyPattern.all {
            let fitting = try ReadyPattern.all.filter { try read($0.name, ready.example) != nil }.map(\.name)
            #expect(fitting == [ready.name], "\(ready.example)")
        }
    }

    /// A pattern that could be tried in very many ways.
    @Test func noNameTakesLong() throws {
        let pattern = try FramePattern(
            "<*a><*a><*a><*a><*a>*a*a*a*a*a*a*a*a{run}*{channel}*a{frame}b_{well}.tif"
        )
        let name = String(repeating: "a", count: 190) + ".tif"
        let start = ContinuousClock.now
        for _ in 0..<20 { #expect(pattern.match(relativePath: name) == nil) }
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test func twoSpellingsOfAnAccentAreOneRun() throws {
        let pattern = try FramePattern()
        let composed = pattern.match(relativePath: "Z\u{FC}rich_A1_f1.tif")
        let decomposed = pattern.match(relativePath: "Zu\u{308}rich_A1_f1.tif")
        #expect(composed == decomposed && composed != nil)
        #expect(composed.map { Array($0.run.utf8) } == decomposed.map { Array($0.run.utf8) })
    }

    @Test func aPathOfAFileThatLiesAnywhereIsRead() throws {
        let pattern = try FramePattern("imagexpress")
        let frame = try #require(pattern.match(path: "/data/.hidden/plate 7/TimePoint_2/B03_s1_w1.tif"))
        #expect(frame.run == "plate 7" && frame.place == "B03_s1_c1" && frame.index == 2)
        #expect(try FramePattern("{well}_{frame}.tif").match(path: "/data/x/B3_4.tif")?.run == "x")
    }

    @Test func aSurveyTellsWhichPatternFits() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "survey-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let images = folder.appending(path: "plate/Images")
        try FileManager.default.createDirectory(at: images, withIntermediateDirectories: true)
        for field in 1...12 {
            try Data().write(to: images.appending(path: "r01c01f\(field)p01-ch1sk1fk1fl1.tiff"))
        }
        try Data().write(to: folder.appending(path: "Thumbs.db"))
        let survey = PatternSurvey(folders: [folder.path])
        #expect(survey.count == 12)
        #expect(survey.fit(try FramePattern()).frames == 0)
        #expect(survey.fit(try FramePattern()).refused?.hasPrefix("plate/Images/r01") == true)
        let phenix = try FramePattern("phenix")
        #expect(survey.fit(phenix).frames == 12 && survey.fit(phenix).refused == nil)
        let examples = survey.examples(phenix, atMost: 5)
        #expect(examples.count == 5 && examples.allSatisfy { $0.frame.run == "plate" })
    }
}
