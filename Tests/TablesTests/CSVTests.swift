import Tables
import TestSupport
import Testing

struct CSVTests {
    private func fields(_ text: String, separator: CSV.Separator? = nil) -> [[String]] {
        let table = CSVTable(text.utf8, separator: separator)
        return table.header.isEmpty ? [] : [table.header] + table.rows.map(\.fields)
    }

    @Test func quotesHoldSeparatorsLineBreaksAndQuotes() {
        let table = fields("name,note\n\"a, b\",\"she said \"\"no\"\"\"\nplain,\"two\r\nlines\"\n")
        #expect(table == [["name", "note"], ["a, b", "she said \"no\""], ["plain", "two\r\nlines"]])
    }

    @Test(arguments: ["\n", "\r", "\r\n"])
    func everyLineEndEndsARow(end: String) {
        let text = ["a,b", "1,2", "3,4"].joined(separator: end)
        #expect(fields(text + end) == [["a", "b"], ["1", "2"], ["3", "4"]])
        #expect(fields(text) == fields(text + end))
        #expect(CSVTable(text.utf8).isCutOff && !CSVTable((text + end).utf8).isCutOff)
    }

    @Test(arguments: CSV.Separator.allCases)
    func theHeaderTellsTheSeparator(separator: CSV.Separator) {
        let rows = [["img_path", "label", "note"], ["a,b;c\td", "1", "x"]]
        let text = CSV.text(rows, separator: separator)
        #expect(fields(text) == rows)
        #expect(fields(text, separator: separator) == rows)
    }

    @Test(arguments: [
        ("=1+1", "'=1+1"), ("+cmd", "'+cmd"), ("-2+3", "'-2+3"), ("@SUM(A1)", "'@SUM(A1)"), ("\tx", "'\tx"),
        ("\rx", "\"'\rx\""), ("-inf", "'-inf"), ("-", "'-"), ("'=1", "''=1"), ("-1.5", "-1.5"), ("+2", "+2"),
        ("-1e-3", "-1e-3"), ("'quoted'", "'quoted'"), ("a=b", "a=b"), ("", ""),
    ])
    func noFieldIsAFormula(field: String, written: String) {
        #expect(CSV.row(["x", field]) == "x,\(written)")
        #expect(fields(CSV.text([["x", field], [field, "y"]])) == [["x", field], [field, "y"]])
    }

    @Test func aNamedSeparatorIsTaken() {
        #expect(fields("a;b,c\n1;2,3\n", separator: .semicolon) == [["a", "b,c"], ["1", "2,3"]])
        #expect(fields("\"a;b;c\",d\n") == [["a;b;c", "d"]], "what is in quotes does not count")
        #expect(fields("one\ntwo\n") == [["one"], ["two"]])
    }

    @Test func aByteOrderMarkAndEmptyRowsArePassedOver() {
        let table = CSVTable("\u{FEFF}\n\na,b\n\n  \n1,2\n \n".utf8)
        #expect(table.header == ["a", "b"] && table.column("b") == 1 && table.column("c") == nil)
        #expect(table.rows.map(\.line) == [6] && table.rows.map(\.fields) == [["1", "2"]])
        #expect(!table.isCutOff)
        #expect(CSVTable([UInt8]()).header.isEmpty && CSVTable("\n\n".utf8).rows.isEmpty)
    }

    @Test func rowsKnowTheirLineAndWhatIsWrong() {
        let table = CSVTable("a,b\n\"x\ny\",1\n\"x\"y,2\n \"q\" ,3\n4,\"open\n5,6\n".utf8)
        #expect(table.rows.map(\.line) == [2, 4, 5, 6])
        #expect(
            table.rows.map(\.fields) == [["x\ny", "1"], ["x", "2"], ["q", "3"], ["4", "open\n5,6\n"]]
        )
        #expect(table.rows.map { $0.fault == nil } == [true, false, true, false])
        #expect(table.isCutOff, "a row that is open at the end is not whole")
    }

    @Test func blanksBelongToAFieldWithoutQuotes() {
        #expect(fields("a, b ,c d\n") == [["a", " b ", "c d"]])
        #expect(CSV.row([" a ", "b"]) == " a ,b")
    }

    @Test func onlyWhatNeedsQuotesGetsThem() {
        #expect(
            CSV.row(["plain", "a;b", "", "a,b", "q\"q", "l\nl"]) == "plain,a;b,,\"a,b\",\"q\"\"q\",\"l\nl\""
        )
        #expect(CSV.row([""]) == "\"\"" && CSV.row(["", ""], separator: .tab) == "\"\"\t")
    }

    /// Fields of everything that has a meaning, and of any other text.
    @Test(arguments: CSV.Separator.allCases)
    func writingAndReadingIsTheIdentity(separator: CSV.Separator) {
        var random = TestGenerator(seed: 21)
        let pieces = ["\"", ",", ";", "\t", "\n", "\r", " ", "a", "\u{FEFF}", "ü", "👩‍🔬", "\u{0}", "e\u{301}"]
        for _ in 0..<300 {
            let columns = Int.random(in: 1...4, using: &random)
            let rows = (0..<Int.random(in: 1...5, using: &random)).map { _ in
                (0..<columns).map { _ in
                    (0..<Int.random(in: 0...4, using: &random)).map { _ in
                        pieces[Int.random(in: 0..<pieces.count, using: &random)]
                    }.joined()
                }
            }
            let read = fields(CSV.text(rows, separator: separator), separator: separator)
            // Equal as Unicode scalars, not as characters only.
            #expect(read.map { $0.map { Array($0.utf8) } } == rows.map { $0.map { Array($0.utf8) } })
        }
    }

    @Test func anyBytesMakeATable() {
        var random = TestGenerator(seed: 22)
        let telling = Array("\",;\t\n\r a".utf8) + [0xEF, 0xBB, 0xBF, 0x00, 0xFF]
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                Int.random(in: 0..<4, using: &random) == 0
                    ? UInt8.random(in: 0...255, using: &random)
                    : telling[Int.random(in: 0..<telling.count, using: &random)]
            }
            let table = CSVTable(bytes)
            #expect(table.rows.allSatisfy { !$0.fields.isEmpty && $0.line <= bytes.count + 1 })
        }
    }

    /// A list as spreadsheets of several countries write it.
    @Test(arguments: [TextEncoding.utf8, .utf16LittleEndian, .utf16BigEndian, .windows1252], [true, false])
    func everyEncodingIsRead(encoding: TextEncoding, hasMark: Bool) {
        let text = "img_path;label\r\nBläschen – 1.tif;1\r\n"
        var bytes: [UInt8]
        switch encoding {
        case .utf8: bytes = (hasMark ? [0xEF, 0xBB, 0xBF] : []) + Array(text.utf8)
        case .utf16LittleEndian:
            bytes = ((hasMark ? [0xFEFF] : []) + Array(text.utf16)).flatMap {
                [UInt8($0 & 0xFF), UInt8($0 >> 8)]
            }
        case .utf16BigEndian:
            bytes = ((hasMark ? [0xFEFF] : []) + Array(text.utf16)).flatMap {
                [UInt8($0 >> 8), UInt8($0 & 0xFF)]
            }
        case .windows1252:
            bytes = text.unicodeScalars.map { $0 == "–" ? 0x96 : UInt8($0.value) }
        }
        let table = CSVTable(bytes)
        #expect(table.encoding == encoding && table.separator == ";")
        #expect(table.header == ["img_path", "label"])
        #expect(table.rows.map(\.fields) == [["Bläschen – 1.tif", "1"]])
    }

    @Test(arguments: ["sep=;\n", "sep=;\r\n", "SEP=;\r", "\"sep=;\"\n", "\u{FEFF}sep=;\n"])
    func aFirstLineMayNameTheSeparator(line: String) {
        let table = CSVTable((line + "a,b;c\n1,5;2\n").utf8)
        #expect(table.header == ["a,b", "c"] && table.rows.map(\.fields) == [["1,5", "2"]])
        #expect(table.rows[0].line == 3)
    }

    @Test func aSeparatorIsNamedByAWholeLineOnly() {
        #expect(CSVTable("sep=;,b\n1,2\n".utf8).header == ["sep=;", "b"])
        #expect(CSVTable("sep=|\na|b\n".utf8).header == ["a", "b"])
        #expect(CSVTable("sep=;".utf8).header.isEmpty)
    }

    @Test func columnsAreFoundWhateverTheirCase() {
        let table = CSVTable("IMG_Path ,\u{A0}Label\na,1\n".utf8)
        #expect(table.column("img_path") == 0 && table.column("label") == 1 && table.column("path") == nil)
    }
}
