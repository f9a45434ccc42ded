/// What tifffile says of an array that it has written: JSON with its shape and the letters of its axes.
///
/// For example `{"shape": [3, 2, 800, 1280], "axes": "TCYX"}`; the first axis changes slowest. Rows, columns and samples come
/// last. `truncate=True` writes one directory for all planes.
struct ArrayShape {
    /// Letter and length of the axes before rows and columns.
    private(set) var axes: [(letter: Character, length: Int)] = []

    init?(description: String) {
        guard description.hasPrefix("{") else { return nil }
        let values = JSONScanner(description).values
        guard let list = values["shape"], list.hasPrefix("["), list.utf8.count < 1000 else { return nil }
        let lengths = list.dropFirst().dropLast().split(separator: ",").map {
            Int($0.filter { $0 != " " }) ?? 0
        }
        guard lengths.allSatisfy({ $0 > 0 }) else { return nil }
        // Without letters the axes before rows and columns are a sequence.
        let letters =
            values["axes"].map { Array($0.uppercased()) }
            ?? Array(repeating: "T", count: max(0, lengths.count - 2)) + ["Y", "X"]
        guard letters.count == lengths.count, let rows = letters.firstIndex(of: "Y") else { return nil }
        axes = zip(letters, lengths).prefix(rows).map { (letter: $0, length: $1) }
    }
}

extension TIFFPlanes {
    /// Pages in the order of the array; `false` where they are not as many as its planes.
    mutating func readShape(_ shape: ArrayShape, _ source: PlaneSource) throws(TIFFError) -> Bool {
        let who = "its description"
        let total = shape.axes.reduce(1.0) { $0 * Double($1.length) }
        let count = try source.checked(Int(min(total, 1e9)), who: who)
        func length(_ letters: String) -> Int {
            shape.axes.reduce(1) { letters.contains($1.letter) ? $0 * $1.length : $0 }
        }
        let known = "TIQCZ"
        let isKnown = shape.axes.allSatisfy { $0.length == 1 || known.contains($0.letter) }
        let pages = source.framePages
        let isContiguous = source.index.pages.count == 1 && count > 1 && source.index.broken == nil
        guard isContiguous || pages.count == count else {
            // Pages of time points may have been appended; of anything else it is not certain what they are.
            if isKnown, length("CZ") == 1 { return false }
            throw source.file.error(
                .layout,
                "\(who) counts \(count) planes, but there are \(pages.count) pages"
            )
        }
        guard isKnown else {
            let letters = String(shape.axes.map(\.letter))
            throw source.file.error(
                .layout,
                "\(who) names the axes \(letters), which are more than T, C and Z"
            )
        }
        (channels, slices) = (length("C"), length("Z"))
        func plane(_ number: Int, page: Int) -> Plane {
            var (plane, rest, scale) = (Plane(page: page), number, (channel: 1, slice: 1, time: 1))
            for axis in shape.axes.reversed() {
                let position = rest % axis.length
                rest /= axis.length
                switch axis.letter {
                case "C":
                    (plane.channel, scale.channel) = (
                        plane.channel + position * scale.channel, scale.channel * axis.length
                    )
                case "Z":
                    (plane.slice, scale.slice) = (
                        plane.slice + position * scale.slice, scale.slice * axis.length
                    )
                default:
                    (plane.time, scale.time) = (plane.time + position * scale.time, scale.time * axis.length)
                }
            }
            return plane
        }
        guard isContiguous else {
            there = pages.enumerated().map { plane($0, page: $1) }
            return true
        }
        let found = try source.contiguous(count, who: who)
        (stride, pageCount) = (found.stride, found.there)
        there = (0..<found.there).map { plane($0, page: $0) }
        absent = (found.there..<count).map { plane($0, page: $0) }
        if !absent.isEmpty { reason = source.absence(of: absent.count, of: count, who: who) }
        return true
    }
}
