/// The configuration that a trainer wrote beside the weights: `hyper_parameters` of PyTorch Lightning.
///
/// Lightning stores the arguments of a module by name; the published trainer has one, `cfg`, an OmegaConf container. The
/// entries of such a container count as entries of their own. Only single values and lists of them are taken.
package struct HyperParameters: Sendable, Equatable {
    /// A single value or a list.
    package enum Value: Sendable, Equatable {
        /// Text.
        case text(String)
        /// A whole number.
        case integer(Int)
        /// Any other number.
        case real(Double)
        /// Yes or no.
        case boolean(Bool)
        /// Values in their order.
        case list([Value])
    }

    /// The values by name.
    package private(set) var values: [String: Value] = [:]

    /// A file without any.
    package init() {}

    /// Gathers values.
    package init(_ values: [String: Value]) { self.values = values }

    /// Takes what stands under `hyper_parameters` of a pickled checkpoint.
    init(root: PickleValue, in machine: PickleMachine) {
        guard let found = machine.entries(root)?.last(where: { $0.key == "hyper_parameters" }) else { return }
        var containers = 0
        for (key, value) in Self.mapping(found.value, in: machine) ?? [] {
            if let plain = Self.plain(value, in: machine) {
                values[key] = plain
            } else if containers < Self.mostContainers, let inner = Self.mapping(value, in: machine) {
                containers += 1
                for (key, value) in inner {
                    if let plain = Self.plain(value, in: machine) { values[key] = plain }
                }
            }
        }
    }

    /// A list of more values is no setting of a network.
    private static let longestList = 64
    /// A pickle can name one large dictionary many times; no trainer has this many entries or containers.
    private static let (mostEntries, mostContainers) = (1024, 16)
    /// OmegaConf puts one node around a value; a value in more wrappings is not looked for.
    private static let wrappings = 3

    /// The entries of a dictionary or an OmegaConf container.
    private static func mapping(
        _ value: PickleValue,
        in machine: PickleMachine
    ) -> [(key: String, value: PickleValue)]? {
        machine.entries(unwrapped(value, in: machine), atMost: mostEntries)
    }

    /// The value inside a container or node of OmegaConf.
    private static func unwrapped(_ value: PickleValue, in machine: PickleMachine) -> PickleValue {
        var value = value
        for _ in 0..<wrappings {
            guard let attributes = machine.attributes(value) else { return value }
            value = attributes.last { $0.key == "_val" || $0.key == "_content" }?.value ?? .none
        }
        return value
    }

    private static func plain(_ value: PickleValue, in machine: PickleMachine) -> Value? {
        let value = unwrapped(value, in: machine)
        if let single = single(value) { return single }
        guard let members = machine.members(value), members.count <= longestList else { return nil }
        let values = members.compactMap { single(unwrapped($0, in: machine)) }
        return values.count == members.count ? .list(values) : nil
    }

    private static func single(_ value: PickleValue) -> Value? {
        switch value {
        // OmegaConf refers to other values in this way, and marks missing ones.
        case .text(let text): text.contains("${") || text == "???" ? nil : .text(text)
        case .integer(let number): .integer(number)
        case .real(let number): .real(number)
        case .boolean(let isTrue): .boolean(isTrue)
        default: nil
        }
    }
}
