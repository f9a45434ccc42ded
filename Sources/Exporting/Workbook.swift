/// A workbook of texts and numbers as spreadsheets read it (Office Open XML): sheets of rows, no styles, no formulas.
///
/// Texts are texts: no program takes one for a number, a date or a formula. The same sheets give the same bytes.
struct Workbook {
    /// The content of a cell.
    enum Cell {
        case text(String)
        case number(Double)
    }

    private var sheets: [(name: String, rows: [[Cell]])] = []

    /// Adds a sheet; its name has at most 31 letters.
    mutating func add(_ name: String, _ rows: [[Cell]]) { sheets.append((name, rows)) }

    /// The workbook as the bytes of a file.
    var bytes: [UInt8] {
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        let links = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        let packages = "http://schemas.openxmlformats.org/package/2006"
        let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
        let numbers = sheets.indices.map { $0 + 1 }
        var archive = StoredArchive()
        func add(_ name: String, _ text: String) {
            archive.add(
                name,
                Array("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\(text)".utf8)
            )
        }
        let overrides = numbers.map {
            "<Override PartName=\"/xl/worksheets/sheet\($0).xml\" ContentType=\"\(kind).worksheet+xml\"/>"
        }
        add(
            "[Content_Types].xml",
            "<Types xmlns=\"\(packages)/content-types\">"
                + "<Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>"
                + "<Default Extension=\"xml\" ContentType=\"application/xml\"/>"
                + "<Override PartName=\"/xl/workbook.xml\" ContentType=\"\(kind).sheet.main+xml\"/>"
                + "\(overrides.joined())</Types>"
        )
        add(
            "_rels/.rels",
            "<Relationships xmlns=\"\(packages)/relationships\"><Relationship Id=\"rId1\" "
                + "Type=\"\(links)/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
        )
        let names = zip(numbers, sheets).map {
            "<sheet name=\"\(Self.text($1.name))\" sheetId=\"\($0)\" r:id=\"rId\($0)\"/>"
        }
        add(
            "xl/workbook.xml",
            "<workbook xmlns=\"\(main)\" xmlns:r=\"\(links)\"><sheets>\(names.joined())</sheets></workbook>"
        )
        let targets = numbers.map {
            "<Relationship Id=\"rId\($0)\" Type=\"\(links)/worksheet\" Target=\"worksheets/sheet\($0).xml\"/>"
        }
        add(
            "xl/_rels/workbook.xml.rels",
            "<Relationships xmlns=\"\(packages)/relationships\">\(targets.joined())</Relationships>"
        )
        for (number, sheet) in zip(numbers, sheets) {
            let rows = sheet.rows.map { "<row>\($0.map(Self.element).joined())</row>" }
            add(
                "xl/worksheets/sheet\(number).xml",
                "<worksheet xmlns=\"\(main)\"><sheetData>\(rows.joined())</sheetData></worksheet>"
            )
        }
        return archive.bytes
    }

    private static func element(_ cell: Cell) -> String {
        switch cell {
        case .text(let words):
            "<c t=\"inlineStr\"><is><t xml:space=\"preserve\">\(text(words))</t></is></c>"
        case .number(let number): "<c><v>\(number)</v></c>"
        }
    }

    /// Text for XML; characters that XML does not have are left out.
    private static func text(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "&": "&amp;"
            case "<": "&lt;"
            case "\"": "&quot;"
            case "\t", "\n", "\r", " "..."\u{FFFD}", "\u{10000}"...: String(scalar)
            default: ""
            }
        }.joined()
    }
}
