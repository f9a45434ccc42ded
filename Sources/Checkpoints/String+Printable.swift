extension StringProtocol {
    /// This text as a message may show it: without control characters, which could steer a terminal, and not too long.
    var printable: String {
        let shown = unicodeScalars.prefix(200).map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: "?"
            default: String(scalar)
            }
        }
        return shown.joined() + (unicodeScalars.count > 200 ? "..." : "")
    }
}
