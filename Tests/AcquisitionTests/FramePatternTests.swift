import Plate
import Testing

@testable import Acquisition

@Suite struct FramePatternTests {
    private func frame(_ run: String, _ well: String, _ index: Int) throws -> FrameID {
        FrameID(run: run, well: try #require(Well(well)), index: index)
    }

    @Test(
        "the names of the instruments are read",
        arguments: [
            (FramePattern.standard, "01_B1_f100.tif", "01", "B01", 100),
            (FramePattern.standard, "01_B1_f100.tiff", "01", "B01", 100),
            (FramePattern.standard, "01_b01_f007.TIFF", "01", "B01", 7),
            (FramePattern.standard, "any/where/a_b_H12_f0.tif", "a_b", "H12", 0),
            (FramePattern.standard, "P1_B2_f1_B3_f4.tif", "P1_B2_f1", "B03", 4),
            (FramePattern.standard, "Zürich-1_A1_f1.tif", "Zürich-1", "A01", 1),
            ("{run}/{well}/{frame}.tiff", "01/AA12/0009.tiff", "01", "AA12", 9),
            ("{run}/{well}/{frame}.tiff", "01/C3/9.TiFF", "01", "C03", 9),
            ("{well}_{run}.tif<f>", "B2_movie+1.tif", "movie+1", "B02", 0),
            ("{well}/img{frame}.tif", "D4/img12.tif", "root", "D04", 12),
            ("{well}_{frame}.ome.tif", "plate 7/../x/B1_1.ome.tif", "", "", -1),
            ("{well}_{frame}.ome.tif", "plate7/x/B1_1.ome.TIF", "plate7", "B01", 1),
            ("{well}_{frame}.ome.tif", "B1_1.ome.tif", "root", "B01", 1),
            ("{run}{well}.tif", "abB1.tif", "ab", "B01", 0),
            ("{well}/{frame}.tif", "x/B1/1.tif", "x", "B01", 1),
            ("{well}_{run}.tif{f}", "B2_movie+1.TIFF", "movie+1", "B02", 0),
            (FramePattern.standard, "My Plate 1_A01_f1.tiff", "My Plate 1", "A01", 1),
            (FramePattern.standard, "plate(2)_[x]_A01_f1.tiff", "plate(2)_[x]", "A01", 1),
            (FramePattern.standard, "a=b_$(rm)_AF48_f1.tiff", "a=b_$(rm)", "AF48", 1),
            ("*_{well}_*{frame}.tif", "2024 scan_C3_image012.tif", "root", "C03", 12),
            ("{well}?{frame}.tif", "C3ü12.tif", "root", "C03", 12),
            ("<day{frame}_>{well}.tif", "day3_C3.tif", "root", "C03", 3),
            ("<day{frame}_>{well}.tif", "C3.tif", "root", "C03", 0),
            ("r{row}c{column}.tif", "r32c48.tif", "root", "AF48", 0),
            ("{row:3}{column:3}_{frame}.tif", "002012_7.tif", "root", "B12", 7),
            ("{row} - {column}.tif", "AF - 05.tif", "root", "AF05", 0),
            ("Pos{frame}.tif{well=B2}", "Pos12.tif", "root", "B02", 12),
            ("{well}_{time}.tif", "C3_01d02h03m.tif", "root", "C03", 1563),
            ("{well}_{time}.tif", "C3_2h.tif", "root", "C03", 120),
            ("{well}_{time}.tif", "C3_1m30s.tif", "root", "C03", 90),
            ("{well}_{time}.tif", "C3_1970y01m02d_00h10m.tif", "root", "C03", 1450),
            ("{well}_{time}.tif", "C3_2024y02m29d_12h00m.tif", "root", "C03", 28_486_800),
            (
                "TimePoint_{frame}/{run}_{well}_f*.tif|{run}_{well}.tif", "x/TimePoint_4/a_B2_f1.tif", "a",
                "B02", 4
            ),
            ("TimePoint_{frame}/{run}_{well}_f*.tif|{run}_{well}.tif", "x/a_B2.tif", "a", "B02", 0),
        ]
    )
    func names(pattern: String, path: String, run: String, well: String, index: Int) throws {
        let expected = index < 0 ? nil : try frame(run, well, index)
        #expect(try FramePattern(pattern).match(relativePath: path, rootName: "root") == expected)
    }

    @Test(
        "names that would leave the output tree or forge a log line are refused",
        arguments: [
            ("{run}_{well}_f{frame}.tif", "a\n_B1_f1.tif"), ("{run}_{well}_f{frame}.tif", " _B1_f1.tif"),
            ("{run}_{well}_f{frame}.tif", "x\u{1B}[2J/01_B1_f1.tif"),
            ("{run}_{well}_f{frame}.tif", "x\u{2028}/01_B1_f1.tif"),
            ("{run}_{well}_f{frame}.tif", "x\u{202E}/01_B1_f1.tif"),
            ("{run}_{well}_f{frame}.tif", "01_Z99_f1.tif"), ("{run}_{well}_f{frame}.tif", "01_B1_f.tif"),
            ("{run}_{well}_f{frame}.tif", "01_B1_f99999999999999999999.tif"),
            ("{run}_{well}_f{frame}.tif", "01_B1_f1.tif.txt"), ("{run}_{well}_f{frame}.tif", "notes.txt"),
            ("{run}_{well}_f{frame}.tif", ""), ("{well}_{time}.tif", "B1_dhm.tif"),
            ("{run}_{well}_f{frame}.tif", String(repeating: "x", count: 200) + "_B1_f1.tif"),
            ("{well}/{frame}.tif", "x/1.tif"), ("{well}_{time}.tif", "B1_2024y13m01d_00h00m.tif"),
            ("r{row}c{column}.tif", "r33c01.tif"), ("r{row}c{column}.tif", "r00c01.tif"),
            ("{run}_{well}_f{frame}.tif", "01_A01_f1 (1).tif"),
            ("{run}_{well}_f{frame}.tif", "01_A01_f1 - Copy.tif"),
        ]
    )
    func refused(pattern: String, path: String) throws {
        guard case .refused(let reason) = try FramePattern(pattern).read(relativePath: path) else {
            Issue.record("\(path) was not refused")
            return
        }
        #expect(!reason.isEmpty && reason.unicodeScalars.allSatisfy(isPrintable))
    }

    @Test(
        "hidden and temporary names pass without a word",
        arguments: [
            ".01_B1_f1.tif", ".._B1_f1.tif", "01_B1_f1.tif.tmp", "01_B1_f1.tif~", ".snapshot/01_B1_f1.tif",
            "01_B1_f1.tif.PART", ".", "~$01_B1_f1.tif", "._01_B1_f1.tif",
            "../01_B1_f1.tif",
        ]
    )
    func ignored(path: String) throws {
        #expect(try FramePattern().read(relativePath: path) == .ignored)
    }

    @Test(
        "a wrong pattern is refused with a sentence that says what is wrong",
        arguments: [
            ("", "is empty"), ("{run}_f{frame}.tif", "has no {well}"), ("{plate}_{well}.tif", "not {plate}"),
            ("{well", "a '{' without a '}'"), ("<{well}.tif", "a '<' without a '>'"),
            ("{well}>.tif", "a '>' without"),
            ("{row}.tif", "by half"), ("{well}_{row}{column}.tif", "twice or by half"),
            ("{well}_{frame}_{time}.tif", "both"),
            ("{well=Z99}.tif", "must name a well"), ("{well:x}.tif", "how many characters"),
            ("!{well}.tif", "'!' only"),
            ("{well}" + String(repeating: "*", count: 200), "more than 100 parts"),
            ("{well}.tif|", "is empty"), ("well}_{well}", "a '}' without a '{'"),
            ("{well}_{well}.tif", "twice"),
            ("/{well}.tif", "below the watched folder"), ("../{well}.tif", "below the watched folder"),
            ("{well}//a", "below the watched folder"), ("{well}\n.tif", "below the watched folder"),
        ]
    )
    func wrongPatterns(pattern: String, words: String) throws {
        let error = #expect(throws: FramePatternError.self) { try FramePattern(pattern) }
        #expect(error?.description.contains("pattern") == true)
        #expect(error?.description.contains(words) == true)
    }

    @Test("bytes that are not text are shown, not printed")
    func printable() {
        #expect(printableName([0x61, 0x0A, 0xFF, 0xC3, 0xBC, 0x5C]) == "a\\x0a\\xffü\\\\")
        #expect(printableName("a\u{2028}") == "a\\xe2\\x80\\xa8")
        #expect(printableName([0xE2, 0x80]) == "\\xe2\\x80")
    }

    @Test("an old value is forgotten only after a whole generation")
    func recentSet() {
        var set = RecentSet<Int>(generation: 3)
        for value in 0..<6 { set.insert(value) }
        #expect((0..<6).allSatisfy(set.contains))
        set.insert(6)
        #expect(!set.contains(0) && set.contains(3) && set.contains(6))
        let isNew = set.insert(5)
        #expect(!isNew)
    }
}
