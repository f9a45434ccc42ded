import Faults
import Plate
import StrictYAML

/// Reads a fault script.
///
/// Every unknown key is a mistake; all mistakes of a file come in one answer.
struct FaultScriptReader {
    private static let keys = ["kind", "form", "wells", "onset", "end", "strength", "shift"]

    /// The file, for messages.
    let path: String
    private var problems: [YAMLProblem] = []
    /// Keys that misspelt ones probably meant: they are not reported as missing as well.
    private var meant: Set<String> = []

    init(path: String) { self.path = path }

    mutating func script(_ text: String) throws(SimulationError) -> FaultScript {
        var entries: [FaultScript.Entry] = []
        do throws(YAMLProblem) {
            let list = try YAMLNode.parse(text).map { faults(of: $0) } ?? []
            entries = list.enumerated().compactMap { entry($0.element, name: "faults[\($0.offset + 1)]") }
        } catch {
            problems.append(error)
        }
        guard problems.isEmpty else {
            throw SimulationError(problems.map { $0.sentence(in: path) }.joined(separator: "\n"))
        }
        return FaultScript(entries)
    }

    private mutating func faults(of root: YAMLNode) -> [YAMLNode] {
        guard let fields = fields(of: root, known: ["faults"], in: nil) else { return [] }
        guard let faults = fields["faults"] else {
            if !meant.contains("faults") {
                note(root.line, nil, "there is no `faults`", "write `faults:` and a list below it")
            }
            return []
        }
        guard let list = faults.sequence else {
            note(faults.line, "faults", "\(faults.words) is not a list", "begin each fault with `- kind:`")
            return []
        }
        return list
    }

    private mutating func entry(_ node: YAMLNode, name: String) -> FaultScript.Entry? {
        guard let fields = fields(of: node, known: Self.keys, in: name) else { return nil }
        let kind = required("kind", of: fields, node, name) { Self.choice($0, FaultKind.self) }
        let shift = optional("shift", of: fields, name) { node in
            kind == .zShift ? Self.number(node, in: 0...200) : nil
        }
        let strength =
            shift.map(Fault.strength(ofShift:))
            ?? required("strength", of: fields, node, name) { Self.number($0, in: 0...1) }
        let wells = required("wells", of: fields, node, name, Self.wells)
        let form = optional("form", of: fields, name) { node in
            Self.choice(node, FaultForm.self).flatMap { kind == nil || $0.kind == kind ? $0 : nil }
        }
        let onset = optional("onset", of: fields, name, Self.moment)
        let end = optional("end", of: fields, name, Self.moment)
        guard problems.isEmpty, let kind, let strength, let wells else { return nil }
        return FaultScript.Entry(
            kind: kind,
            form: form,
            wells: wells.isEmpty ? nil : wells,
            onset: onset ?? .frame(0),
            end: end,
            strength: strength,
            shift: shift,
            place: "\(path):\(node.line ?? 1): \(name)"
        )
    }

    /// The values that a key takes, for messages.
    private static func expected(_ key: String, _ kind: FaultKind?) -> String {
        switch key {
        case "kind": "one of " + FaultKind.allCases.map(\.rawValue).joined(separator: ", ")
        case "form": "one of " + (kind?.forms ?? FaultForm.allCases).map(\.rawValue).joined(separator: ", ")
        case "wells": "`all` or a list of wells, for example [B1, C2]"
        case "strength": "a number from 0 to 1"
        case "shift": "um from 0 to 200, for a z-shift only"
        default: "a frame, counted from 0, or a time with its unit, for example 80s or 2m"
        }
    }

    private mutating func required<Value>(
        _ key: String,
        of fields: [String: YAMLNode],
        _ node: YAMLNode,
        _ name: String,
        _ read: (YAMLNode) -> Value?
    ) -> Value? {
        guard fields[key] == nil else { return optional(key, of: fields, name, read) }
        if !meant.contains("\(name).\(key)") {
            note(node.line, "\(name).\(key)", "it is missing", "write \(Self.expected(key, nil))")
        }
        return nil
    }

    private mutating func optional<Value>(
        _ key: String,
        of fields: [String: YAMLNode],
        _ name: String,
        _ read: (YAMLNode) -> Value?
    ) -> Value? {
        guard let node = fields[key] else { return nil }
        if let value = read(node) { return value }
        let kind = fields["kind"].flatMap { Self.choice($0, FaultKind.self) }
        let expected = Self.expected(key, kind)
        note(node.line, "\(name).\(key)", "\(node.words) is not \(expected)", "write \(expected)")
        return nil
    }

    /// The values of a group of keys; `nil` for anything else.
    private mutating func fields(
        of node: YAMLNode,
        known: [String],
        in name: String?
    ) -> [String: YAMLNode]? {
        guard let mapping = node.mapping else {
            problems.append(.noKeys(node, in: name))
            return nil
        }
        var fields: [String: YAMLNode] = [:]
        for (key, value) in mapping {
            let word = key.string ?? "?"
            guard known.contains(word) else {
                let nearest = NearestName.of(word, among: known)
                let section = name.map { "\($0)." } ?? ""
                if let nearest { meant.insert(section + nearest) }
                problems.append(.unknownKey(section + word, line: key.line, nearest: nearest))
                continue
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

    private static func number(_ node: YAMLNode, in range: ClosedRange<Double>) -> Float? {
        node.float.flatMap { range.contains($0) ? Float($0) : nil }
    }

    /// The wells of a list; empty for all wells.
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

    private mutating func note(_ line: Int?, _ key: String?, _ problem: String, _ remedy: String) {
        problems.append(YAMLProblem(line: line, key: key, problem: problem, remedy: remedy))
    }
}
