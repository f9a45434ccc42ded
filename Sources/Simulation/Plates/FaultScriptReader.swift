import Plate
import StrictYAML

/// Reads a fault script; every key it does not know is an error.
struct FaultScriptReader {
    private static let keys = ["kind", "form", "wells", "onset", "end", "severity"]

    /// The file, for messages.
    let path: String

    func script(_ text: String) throws(SimulationError) -> FaultScript {
        let root: YAMLNode?
        do throws(YAMLProblem) {
            root = try YAMLNode.parse(text)
        } catch {
            throw failure(error.line, nil, error.problem, error.remedy)
        }
        guard let root else { return FaultScript([]) }
        guard let faults = try fields(of: root, known: ["faults"], in: nil)["faults"] else {
            throw failure(root.line, nil, "there is no `faults`", "write `faults:` and a list below it")
        }
        guard let list = faults.sequence else {
            throw failure(
                faults.line,
                "faults",
                "\(faults.words) is not a list",
                "begin each fault with `- kind:`"
            )
        }
        var entries: [FaultScript.Entry] = []
        for node in list { entries.append(try entry(node, name: "faults[\(entries.count + 1)]")) }
        return FaultScript(entries)
    }

    private func entry(_ node: YAMLNode, name: String) throws(SimulationError) -> FaultScript.Entry {
        let fields = try fields(of: node, known: Self.keys, in: name)
        let kind = try required("kind", of: fields, node, name) { Self.choice($0, FaultKind.self) }
        let severity = try required("severity", of: fields, node, name) { node in
            node.float.flatMap { (0...1).contains($0) ? Float($0) : nil }
        }
        let wells = try required("wells", of: fields, node, name, Self.wells)
        return FaultScript.Entry(
            kind: kind,
            form: try optional("form", of: fields, name) { node in
                Self.choice(node, FaultForm.self).flatMap { $0.kind == kind ? $0 : nil }
            },
            wells: wells.isEmpty ? nil : wells,
            onset: try optional("onset", of: fields, name, Self.moment) ?? .frame(0),
            end: try optional("end", of: fields, name, Self.moment),
            severity: severity,
            place: "\(path):\(node.line ?? 1): \(name)"
        )
    }

    /// What a value has to be, for messages.
    private static func expected(_ key: String, _ kind: FaultKind?) -> String {
        switch key {
        case "kind": "one of " + FaultKind.allCases.map(\.rawValue).joined(separator: ", ")
        case "form": "one of " + (kind?.forms ?? FaultForm.allCases).map(\.rawValue).joined(separator: ", ")
        case "wells": "`all` or a list of wells, for example [B1, C2]"
        case "severity": "a number from 0 to 1"
        default: "a frame, counted from 0, or a time with its unit, for example 80s or 2m"
        }
    }

    private func required<Value>(
        _ key: String,
        of fields: [String: YAMLNode],
        _ node: YAMLNode,
        _ name: String,
        _ read: (YAMLNode) -> Value?
    ) throws(SimulationError) -> Value {
        guard let value = try optional(key, of: fields, name, read) else {
            throw failure(node.line, "\(name).\(key)", "it is missing", "write \(Self.expected(key, nil))")
        }
        return value
    }

    private func optional<Value>(
        _ key: String,
        of fields: [String: YAMLNode],
        _ name: String,
        _ read: (YAMLNode) -> Value?
    ) throws(SimulationError) -> Value? {
        guard let node = fields[key] else { return nil }
        if let value = read(node) { return value }
        let kind = fields["kind"].flatMap { Self.choice($0, FaultKind.self) }
        let expected = Self.expected(key, kind)
        throw failure(node.line, "\(name).\(key)", "\(node.words) is not \(expected)", "write \(expected)")
    }

    private func fields(
        of node: YAMLNode,
        known: [String],
        in name: String?
    ) throws(SimulationError) -> [String: YAMLNode] {
        guard let mapping = node.mapping else {
            throw failure(node.line, name, "keys are expected here", "write `key: value` lines")
        }
        var fields: [String: YAMLNode] = [:]
        for (key, value) in mapping {
            let word = key.string ?? "?"
            guard known.contains(word) else {
                let nearest = NearestName.of(word, among: known) ?? known[0]
                throw failure(
                    key.line,
                    name.map { "\($0).\(word)" } ?? word,
                    "there is no such key",
                    "the nearest known key is `\(nearest)`"
                )
            }
            fields[word] = value
        }
        return fields
    }

    private static func choice<Choice: RawRepresentable<String>>(
        _ node: YAMLNode,
        _ type: Choice.Type
    ) -> Choice? {
        node.string.flatMap(Choice.init(rawValue:))
    }

    /// None for all wells.
    private static func wells(_ node: YAMLNode) -> [Well]? {
        if node.string == "all" { return [] }
        guard let names = node.sequence, !names.isEmpty else { return nil }
        let wells = names.compactMap { $0.string.flatMap { Well($0) } }
        return wells.count == names.count && Set(wells).count == wells.count ? wells : nil
    }

    private static func moment(_ node: YAMLNode) -> FaultScript.Moment? {
        if let index = node.int { return (0...1_000_000_000).contains(index) ? .frame(index) : nil }
        guard let text = node.string else { return nil }
        let number = text.prefix { $0.isNumber || $0 == "." }
        let units: [String: Double] = ["s": 1, "m": 60, "h": 3600]
        guard let value = Double(number), let unit = units[String(text.dropFirst(number.count))],
            value * unit <= 366 * 86_400
        else { return nil }
        return .seconds(value * unit)
    }

    private func failure(
        _ line: Int?,
        _ key: String?,
        _ problem: String,
        _ remedy: String
    ) -> SimulationError {
        let place = path + (line.map { ":\($0)" } ?? "")
        return SimulationError("\(place): \(key.map { "\($0): " } ?? "")\(problem); \(remedy).")
    }
}
