extension ConfigurationTable {
    private static let width = 110

    /// The file `examples/autoqc.yaml`: every key with its default, explained in comments.
    package var example: String {
        var lines = [
            "# Configuration of autoqc, printed by `autoqc validate --example`: every key with its default.",
            "# `autoqc validate --config FILE` checks a file; the service autoqc@NAME reads /etc/autoqc/NAME.yaml.",
            "# Relative paths are relative to the folder of this file.",
        ]
        var section: String?
        for row in rows {
            if row.section == nil || row.section != section { lines.append("") }
            if let name = row.section, name != section { lines.append("\(name):") }
            section = row.section
            lines += Self.entry(row)
        }
        return lines.joined(separator: "\n")
    }

    private static func entry(_ row: any ConfigurationRow) -> [String] {
        let indent = row.section == nil ? "" : "  "
        let type = row.type.prefix(1).uppercased() + row.type.dropFirst()
        let values = type + (row.bounds.isEmpty ? "" : ": \(row.bounds)")
        let need = row.isRequired ? ". Required" : ""
        let comments = [row.sentence, "\(values)\(need). Reload: \(row.effect.rawValue)."]
        return comments.flatMap { wrapped($0, after: indent + "# ") }
            + ["\(indent)\(row.name.split(separator: ".").last ?? ""): \(row.standardText)"]
    }

    private static func wrapped(_ text: String, after start: String) -> [String] {
        text.split(separator: " ").reduce(into: [String]()) { lines, word in
            if let last = lines.last, last.count + word.count < width {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append("\(start)\(word)")
            }
        }
    }

    /// The page `docs/configuration.md`: the table in Markdown.
    package var page: String {
        """
        # Configuration

        Every key of the file that `autoqc watch --config FILE` and the service `autoqc@NAME` (`/etc/autoqc/NAME.yaml`) read.
        [examples/autoqc.yaml](../examples/autoqc.yaml) is such a file. `batch.frames` is the key `frames` in the section `batch`.
        Times carry their unit: `500ms`, `2s`, `10m`, `1h`. Relative paths are relative to the folder of the file. What is given on
        the command line wins. The column *reload* says whether a running daemon takes a change at `systemctl reload` (SIGHUP).
        `autoqc validate --keys` prints this page.

        | key | type | default | range | unit | reload | meaning |
        |---|---|---|---|---|---|---|

        """ + rows.map(Self.line).joined(separator: "\n")
    }

    private static func line(_ row: any ConfigurationRow) -> String {
        let standard = row.isRequired ? "required" : "`\(row.standardText)`"
        let cells = [
            "`\(row.name)`", row.type, standard, row.range, row.unit, row.effect.rawValue, row.sentence,
        ]
        return "| \(cells.joined(separator: " | ")) |"
    }
}
