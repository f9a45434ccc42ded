/// Micro-Manager's stacks: each page carries a JSON text with its place, and the file begins with a summary.
///
/// Page, tag 51123: `ChannelIndex`, `SliceIndex`, `FrameIndex`, `PositionIndex`, `Channel` (the name), `BitDepth`. Summary:
/// bytes 32 to 35 are the number 2355492, 36 to 39 its length, then JSON with `Channels`, `Slices`, `ChNames`.
extension TIFFPlanes {
    private static let largestIndex = 1 << 20

    /// Reads the place of every page.
    mutating func readMicroManager(_ source: PlaneSource) throws(TIFFError) {
        let who = "Micro-Manager's metadata"
        var planes: [[Int]: Plane] = [:]
        var position: Int?
        for page in source.framePages {
            let text = try source.index.pages[page].text(.microManager, limit: 1 << 20) ?? ""
            let values = JSONScanner(text).values
            func index(_ name: String, _ older: String) -> Int? {
                (values[name] ?? values[older]).flatMap { Int($0) }
            }
            guard let channel = index("ChannelIndex", "Channel"), let slice = index("SliceIndex", "Slice"),
                let time = index("FrameIndex", "Frame"),
                [channel, slice, time].allSatisfy({ $0 >= 0 && $0 <= Self.largestIndex })
            else {
                throw source.file.error(.layout, "\(who) do not say what page \(page) is")
            }
            let own = index("PositionIndex", "Position") ?? 0
            guard position ?? own == own else {
                throw source.file.error(.layout, "\(who) tell of several positions in one file")
            }
            position = own
            planes[[channel, slice, time]] = Plane(page: page, channel: channel, slice: slice, time: time)
            channels = max(channels, channel + 1)
            slices = max(slices, slice + 1)
            significantBits = significantBits ?? index("BitDepth", "")
            if let name = values["Channel"], Int(name) == nil { setName(name, of: channel) }
        }
        there = planes.values.sorted { $0.page < $1.page }
        readSummary(source)
    }

    private mutating func setName(_ name: String, of channel: Int) {
        guard channel < 64 else { return }
        while channelNames.count <= channel { channelNames.append("") }
        channelNames[channel] = name
    }

    /// How many channels and z-planes there will be, so that the middle plane is the same from the first page on.
    private mutating func readSummary(_ source: PlaneSource) {
        let (file, format) = (source.file, source.index.format)
        guard let head = try? file.bytes(at: 32, count: 8, of: "the summary"),
            format.number(head, at: 0, size: 4) == 2_355_492
        else { return }
        let length = format.number(head, at: 4, size: 4)
        guard length <= 16 << 20, let text = try? file.bytes(at: 40, count: Int(length), of: "the summary")
        else {
            return
        }
        let values = JSONScanner(String(decoding: text, as: UTF8.self)).values
        func number(_ name: String) -> Int {
            values[name].flatMap { Int($0) }.flatMap { $0 <= Self.largestIndex ? $0 : nil } ?? 1
        }
        (channels, slices) = (max(channels, number("Channels")), max(slices, number("Slices")))
    }
}
