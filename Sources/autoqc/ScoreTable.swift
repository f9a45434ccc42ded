import Auditing
import Plate
import Tables

/// What the masks and maps of frames are called: like the frames' files, and where several would have the same name, with
/// digits of each path behind it.
struct OutputNames {
    private let shared: Set<ExactPath>

    init(_ paths: [String]) {
        let groups = Dictionary(grouping: paths) { ExactPath(Self.withoutPage(Self.stem($0))) }
        shared = Set(groups.values.filter { $0.count > 1 }.joined().map { ExactPath($0) })
    }

    func name(_ path: String, page: Int) -> String {
        let stem = Self.stem(path)
        let own =
            shared.contains(ExactPath(path))
            ? "\(stem)_\(ExactPath.absolute(path).text.stableHash.prefix(8))" : stem
        return page == 0 ? own : "\(own)_p\(page)"
    }

    private static func stem(_ path: String) -> String {
        let name = ExactPath(path).name
        let dot = name.utf8.lastIndex(of: UInt8(ascii: "."))
        return String(dot.flatMap { $0 > name.startIndex ? name[..<$0] : nil } ?? name)
    }

    /// A file may be called as the page of another is.
    private static func withoutPage(_ stem: String) -> String {
        let digits = stem.utf8.reversed().prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            .count
        let front = stem.utf8.dropLast(digits)
        return digits > 0 && front.suffix(2).elementsEqual("_p".utf8)
            ? String(Substring(front.dropLast(2))) : stem
    }
}

/// The rows of `autoqc score` on standard output: as they come, or ranked at the end.
struct ScoreTable {
    private let table: Table<FrameTable.Row>
    private let form: TableForm
    private let isRanked: Bool
    /// Rows of faulty frames, as far as they were counted.
    var faulty = 0
    private var held: [(severity: Double, row: String)] = []

    init(hasSpreads: Bool, _ form: TableForm, isRanked: Bool) throws {
        table = hasSpreads ? FrameTable.tableWithSpreads : FrameTable.table
        (self.form, self.isRanked) = (form, isRanked)
        if let header = table.header(form) { try Terminal.say(header) }
    }

    /// Takes a row; a frame without a verdict is infinitely severe.
    mutating func add(_ row: FrameTable.Row, severity: Double) throws {
        let line = try table.line(row, form)
        if isRanked { held.append((severity, line)) } else { try Terminal.say(line) }
    }

    /// Prints what was held back, the most severe first; equals keep their order.
    mutating func finish() throws {
        let order = held.indices.sorted { (-held[$0].severity, $0) < (-held[$1].severity, $1) }
        for index in order { try Terminal.say(held[index].row) }
        held = []
    }
}
