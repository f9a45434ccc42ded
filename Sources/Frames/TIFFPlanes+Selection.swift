import Plate

extension TIFFPlanes {
    struct Selection {
        var frames: [TimePoint] = []
        var missing: TIFFReader.MissingFrame?
        var note: String?
    }

    /// The frames of the chosen channel and z-plane.
    func selection(_ choice: PlaneChoice, file: TIFFFile) throws(TIFFError) -> Selection {
        let own = there + absent
        let ownChannels = isPart ? Set(own.map(\.channel)).sorted() : Array(0..<channels)
        let ownSlices = isPart ? Set(own.map(\.slice)).sorted() : Array(0..<slices)
        guard let channel = choice.channel(of: ownChannels, among: channels, names: channelNames) else {
            throw file.error(
                .choice,
                "there is no channel \(choice.channel ?? "") among its \(channels) channels\(listedNames)"
            )
        }
        guard let slice = choice.plane(of: ownSlices, among: slices) else {
            throw file.error(.choice, "there is no z-plane \(choice.plane.text) among its \(slices) z-planes")
        }
        let isTime = choice.plane == .time
        func isChosen(_ plane: Plane) -> Bool { plane.channel == channel && (isTime || plane.slice == slice) }
        func order(_ one: Plane, _ other: Plane) -> Bool { (one.time, one.slice) < (other.time, other.slice) }
        let all = own.filter(isChosen).sorted(by: order)
        let start = own.map(\.time).min() ?? 0
        // Page to time: z-planes that are points in time follow each other.
        let times = all.enumerated().map { isTime ? $0 : $1.time - start }
        let lacking = Set(absent.map(\.page))
        var selection = Selection()
        for (plane, time) in zip(all, times) {
            let frame = TimePoint(page: plane.page, time: time)
            if !lacking.contains(plane.page) {
                selection.frames.append(frame)
            } else if selection.missing == nil, let reason {
                selection.missing = TIFFReader.MissingFrame(frame: frame, error: reason)
            }
        }
        if selection.missing == nil, absent.isEmpty, let reason {
            let frame = TimePoint(page: pageCount, time: (times.last ?? -1) + 1)
            selection.missing = TIFFReader.MissingFrame(frame: frame, error: reason)
        }
        selection.note = note(choice, ownChannels, ownSlices)
        return selection
    }

    private var listedNames: String {
        let names = channelNames.prefix(channels).filter { !$0.isEmpty }
        return names.isEmpty ? "" : " (\(names.joined(separator: ", ")))"
    }

    /// What was decided without being asked.
    private func note(_ choice: PlaneChoice, _ ownChannels: [Int], _ ownSlices: [Int]) -> String? {
        var parts: [String] = []
        if choice.channel == nil, ownChannels.count > 1 {
            parts.append(
                "there are \(ownChannels.count) channels\(listedNames), and the first is judged; choose with `channel`"
            )
        }
        if choice.plane == .middle, ownSlices.count > 1 {
            let middle = ownSlices[ownSlices.count / 2] + 1
            let way = mayBeTime ? "; if they are time points, choose `plane: time`" : ""
            parts.append(
                "there are \(ownSlices.count) z-planes, and the middle one, \(middle), is judged; choose with `plane`\(way)"
            )
        }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }
}
