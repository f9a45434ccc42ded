/// What a frame shows of its well: field, channel and plane, as far as its name tells them.
///
/// A well with several views has several sequences of frames, and each is followed for itself.
package struct FrameView: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Number of the field (site, position) in the well.
    package let field: Int?
    /// Number of the plane in a stack of them.
    package let plane: Int?
    /// Name or number of the channel (wavelength).
    package let channel: String?

    /// Names a view; of a name that says nothing, the only one.
    package init(field: Int? = nil, channel: String? = nil, plane: Int? = nil) {
        (self.field, self.channel, self.plane) = (field, channel, plane)
    }

    /// The view of a name that says nothing of field, channel and plane.
    package static let only = FrameView()

    /// `s2_z3_cDAPI`, as ledger and addresses carry it; empty for the only view.
    package var description: String {
        [field.map { "s\($0)" }, plane.map { "z\($0)" }, channel.map { "c\($0)" }]
            .compactMap(\.self).joined(separator: "_")
    }

    /// Reads what `description` writes; `nil` for anything else.
    package init?(_ text: String) {
        var rest = text.utf8[...]
        let field = Self.number(UInt8(ascii: "s"), &rest)
        let plane = Self.number(UInt8(ascii: "z"), &rest)
        var channel: String?
        if rest.first == UInt8(ascii: "c") {
            channel = String(Substring(rest.dropFirst()))
            rest = rest[rest.endIndex...]
        }
        self.init(field: field, channel: channel, plane: plane)
        guard rest.isEmpty, description.utf8.elementsEqual(text.utf8) else { return nil }
    }

    private static func number(_ letter: UInt8, _ rest: inout Substring.UTF8View) -> Int? {
        guard rest.first == letter else { return nil }
        let digits = rest.dropFirst().prefix { $0 != UInt8(ascii: "_") }
        guard let number = Int(Substring(digits)) else { return nil }
        rest = rest.dropFirst(1 + digits.count)
        if !rest.isEmpty { rest = rest.dropFirst() }
        return number
    }

    /// For people: `field 2, channel DAPI, plane 3`; empty for the only view.
    package var words: String {
        [field.map { "field \($0)" }, channel.map { "channel \($0)" }, plane.map { "plane \($0)" }]
            .compactMap(\.self).joined(separator: ", ")
    }

    /// Field, channel and plane as columns of a table; empty where they are not told.
    package var fields: [String] {
        [field.map { "\($0)" } ?? "", channel ?? "", plane.map { "\($0)" } ?? ""]
    }

    /// Orders by field, then channel, then plane; what is not told comes first.
    package static func < (left: FrameView, right: FrameView) -> Bool {
        (left.field ?? -1, left.channel ?? "", left.plane ?? -1)
            < (right.field ?? -1, right.channel ?? "", right.plane ?? -1)
    }
}

/// Which frame this is, as its name says: run, well, view and position in time.
///
/// Two files may say the same; then path and page (`FrameSource.Place`) tell them apart.
package struct FrameID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Name of the run (one plate on the microscope).
    package let run: String
    /// The well the frame shows.
    package let well: Well
    /// What it shows of the well.
    package let view: FrameView
    /// Position in time, as in the file name; pages of a movie count on from there.
    package let index: Int

    /// Names one frame.
    package init(run: String, well: Well, view: FrameView = .only, index: Int) {
        (self.run, self.well, self.view, self.index) = (run, well, view, index)
    }

    /// Positions in time that names and ledgers may hold, up to 18 digits: sums and differences of two of them are whole numbers, too.
    package static let indices = 0...999_999_999_999_999_999

    /// So many frames later in the same sequence, as the pages of a movie are.
    package func later(by count: Int) -> FrameID {
        let later = min(index.saturatingAdd(count), Self.indices.upperBound)
        return FrameID(run: run, well: well, view: view, index: later)
    }

    /// Well and view, as in the names of output files, for example `B01` or `B01_s2_cDAPI`.
    package var place: String { view == .only ? well.description : "\(well)_\(view)" }

    /// For example `01_B01_f100`, or `01_B01_s2_cDAPI_f100`.
    package var description: String { "\(run)_\(place)_f\(index)" }

    /// Orders by run, then well, then view, then time.
    package static func < (left: FrameID, right: FrameID) -> Bool {
        (left.run, left.well, left.view, left.index) < (right.run, right.well, right.view, right.index)
    }
}
