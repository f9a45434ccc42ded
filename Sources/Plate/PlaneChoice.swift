/// Which channel and which z-plane are judged, where a file or a set of files has several.
///
/// One channel of one z-plane is a time series; the others show the same moment in another light or at another depth and
/// are never taken for time.
package struct PlaneChoice: Hashable, Sendable {
    /// Which z-plane is judged.
    package enum Plane: Hashable, Sendable {
        /// The only one, or the middle one of several.
        case middle
        /// One by its number, from 1.
        case number(Int)
        /// All of them: they are points in time that a program has saved as z-planes.
        case time
    }

    /// The channel: its name, or its number from 1; `nil` for the only one, or the first of several.
    package var channel: String?
    /// The z-plane.
    package var plane: Plane

    /// The only channel and z-plane, or the first and the middle one.
    package init(channel: String? = nil, plane: Plane = .middle) {
        (self.channel, self.plane) = (channel, plane)
    }

    /// Reads a choice as configuration and options write it: `auto`, or a channel's name or number.
    package static func channel(_ text: String) -> String? { text == "auto" ? nil : text }

    /// Whether a file is chosen by what its name tells of channel and z-plane; a name that does not tell leaves it to the file.
    package func admits(_ view: FrameView) -> Bool {
        if let channel, let own = view.channel {
            let isSameNumber = Int(channel).map { $0 == Int(own) } ?? false
            guard isSameNumber || channel.lowercased() == own.lowercased() else { return false }
        }
        if case .number(let number) = plane, let own = view.plane { return number == own }
        return true
    }

    /// The chosen channel, counted from 0, of those in ascending order that a file has; `nil` where its set has none such.
    ///
    /// The set has `count` channels; a single one without a name leaves nothing to choose. A name goes before a number, and upper and lower case are the same.
    package func channel(of own: [Int], among count: Int, names: [String]) -> Int? {
        guard let channel, count > 1 || !names.isEmpty else { return own.first ?? 0 }
        let wanted = channel.lowercased()
        if let named = names.prefix(count).firstIndex(where: { $0.lowercased() == wanted }) { return named }
        guard let number = Int(channel), number >= 1, number <= count else { return nil }
        return number - 1
    }

    /// The chosen z-plane, counted from 0, of those in ascending order that a file has; `nil` where its set has none such.
    ///
    /// The set has `count` z-planes; a single one leaves nothing to choose.
    package func plane(of own: [Int], among count: Int) -> Int? {
        switch plane {
        case .middle, .time: own.isEmpty ? 0 : own[own.count / 2]
        case .number where count == 1: own.first ?? 0
        case .number(let number): number >= 1 && number <= count ? number - 1 : nil
        }
    }
}

extension PlaneChoice.Plane {
    /// Reads `auto`, `time` or a number from 1; `nil` for anything else.
    package init?(_ text: String) {
        switch text {
        case "auto": self = .middle
        case "time": self = .time
        default:
            guard let number = Int(text), number >= 1 else { return nil }
            self = .number(number)
        }
    }

    /// As configuration and options write it.
    package var text: String {
        switch self {
        case .middle: "auto"
        case .time: "time"
        case .number(let number): "\(number)"
        }
    }
}
