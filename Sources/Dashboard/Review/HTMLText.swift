import Plate
import Reporting

/// Text that goes into HTML, with whatever a name from disk holds.
enum HTMLText {
    /// The text as it stands between tags and in quoted attributes.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The beginning of a table that a narrow screen moves sideways, also by the keyboard; `</table></div>` ends it.
    static func wideTable(_ name: String, kind: String = "") -> String {
        let table = kind.isEmpty ? "<table>" : "<table class=\"\(kind)\">"
        return "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"\(escaped(name))\">\(table)"
    }

    /// A number with as many digits as one reads.
    static func figure(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "–" }
        let digits = abs(value) >= 100 ? 0 : abs(value) >= 10 ? 1 : 2
        return value.fixed(digits)
    }

    /// A column of a table by name and text, one row of it: on a narrow screen the name stands beside the text.
    static func cell(_ name: String, _ html: String) -> String { "<td data-name=\"\(name)\">\(html)" }
}

/// Times of a run on this machine's clock, each with its zone, and with its day where the run has several.
struct RunTimes {
    private let hasDays: Bool

    init(_ times: ClosedRange<Timestamp>?) {
        hasDays = times.map { $0.lowerBound.localDay != $0.upperBound.localDay } ?? true
    }

    func text(_ time: Timestamp) -> String { hasDays ? time.localTime : time.localClock }

    /// A sentence of the daemon, its times on this machine's clock.
    func local(_ sentence: String) -> String {
        sentence.replacing(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) { match in
            Timestamp(iso8601: match.output).map(text) ?? String(match.output)
        }
    }
}
