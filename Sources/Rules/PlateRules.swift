package import Plate

/// What several faulty wells of a plate have in common.
package enum PlatePattern: Hashable, Sendable, Comparable {
    /// Most of the imaged wells are faulty.
    case allWells
    /// Wells under one lens, numbered from 1, row by row of the lenses.
    case lens(Int)
    /// A row of the plate, counted from 0 for `A`.
    case row(Int)
    /// A column of the plate, counted from 1.
    case column(Int)
    /// The outermost wells.
    case edge

    /// Its name in records: `all-wells`, `lens-6`, `row-B`, `column-07`, `edge`.
    package var name: String {
        switch self {
        case .allWells: "all-wells"
        case .lens(let number): "lens-\(number)"
        case .row(let row): "row-\(Well(row: row, column: 1)?.description.prefix { $0.isLetter } ?? "")"
        case .column(let column): "column-\(column.digits(2))"
        case .edge: "edge"
        }
    }

    /// What to look at first.
    package var advice: String {
        switch self {
        case .allWells: "look at the lamp, the stage and the incubator"
        case .lens(let number): "clean and refocus lens \(number)"
        case .row, .column: "look at how the plate sits, and at how this line was dispensed"
        case .edge: "look at the lid and the humidity: edge wells dry first"
        }
    }

    /// Reads a name.
    package init?(name: String) {
        let parts = name.split(separator: "-", maxSplits: 1).map(String.init)
        switch (parts.first, parts.last) {
        case ("all", "wells"): self = .allWells
        case ("edge", _): self = .edge
        case ("lens", let number?):
            guard let value = Int(number) else { return nil }
            self = .lens(value)
        case ("row", let letters?):
            guard let well = Well(letters + "1") else { return nil }
            self = .row(well.row)
        case ("column", let number?):
            guard let value = Int(number) else { return nil }
            self = .column(value)
        default: return nil
        }
    }
}

/// Finds what the faulty wells of a plate have in common, so that one cause is one alarm.
///
/// A lens, a row, a column or the edge is named where at least three of its wells are imaged, at least three quarters of these
/// are faulty, and at most a quarter of the wells elsewhere is. Where at least eight wells are imaged and three quarters of
/// them are faulty, that alone is named.
package struct PlateRules: Sendable, Equatable {
    private static let most = 0.75
    private static let few = 0.25
    private static let smallestGroup = 3
    private static let smallestPlate = 8

    /// Rows of the lenses that move over the plate together; 0 where that is unknown.
    package let lensRows: Int
    /// Columns of the lenses.
    package let lensColumns: Int

    /// Sets how the lenses stand; the ComplexEye has 4 x 4.
    package init(lensRows: Int = 4, lensColumns: Int = 4) {
        precondition(lensRows >= 0 && lensColumns >= 0, "\(lensRows) x \(lensColumns) lenses")
        (self.lensRows, self.lensColumns) = (lensRows, lensColumns)
    }

    /// The patterns that hold for these wells; the value says which wells are faulty.
    package func patterns(_ wells: [Well: Bool]) -> [PlatePattern] {
        if wells.count >= Self.smallestPlate, share(wells.values) >= Self.most { return [.allWells] }
        let size = PlateSize(holding: wells.keys)
        var groups: [PlatePattern: [Bool]] = [:]
        for (well, isFaulty) in wells {
            for pattern in patterns(of: well, size) { groups[pattern, default: []].append(isFaulty) }
        }
        let faulty = wells.values.count { $0 }
        return groups.filter { _, group in
            let outside = wells.count - group.count
            let faultyOutside = faulty - group.count { $0 }
            return group.count >= Self.smallestGroup && outside >= Self.smallestGroup
                && share(group) >= Self.most && Double(faultyOutside) <= Self.few * Double(outside)
        }.keys.sorted()
    }

    /// The wells that a pattern is about.
    package func members(of pattern: PlatePattern, among wells: some Collection<Well>) -> [Well] {
        let size = PlateSize(holding: wells)
        return wells.filter { pattern == .allWells || patterns(of: $0, size).contains(pattern) }.sorted()
    }

    /// The lens over a well, numbered from 1, row by row; `nil` where it is not known how the lenses stand.
    package func lens(of well: Well) -> Int? {
        guard lensRows > 0, lensColumns > 0 else { return nil }
        return well.row % lensRows * lensColumns + (well.column - 1) % lensColumns + 1
    }

    private func share(_ wells: some Collection<Bool>) -> Double {
        Double(wells.count { $0 }) / Double(max(1, wells.count))
    }

    /// The edge is that of the smallest usual plate.
    private func patterns(of well: Well, _ size: PlateSize) -> [PlatePattern] {
        var patterns: [PlatePattern] = [.row(well.row), .column(well.column)]
        let isAtEdge =
            [0, size.rows - 1].contains(well.row) || [1, size.columns].contains(well.column)
        if isAtEdge { patterns.append(.edge) }
        if let lens = lens(of: well) { patterns.append(.lens(lens)) }
        return patterns
    }
}

/// The wells of a run when one of them changed, and what follows for the plate: which patterns to announce and which to clear,
/// and whether an alarm of the plate speaks for that of a well.
package struct PlateState: Sendable {
    /// A change of what the wells have in common.
    package enum Transition: Sendable, Equatable {
        /// A pattern holds that was not announced; the reason names its wells and what to look at first.
        case begins(PlatePattern, reason: String)
        /// A pattern that was announced does not hold any more.
        case ends(PlatePattern)
    }

    /// Wells that a reason names, at most.
    private static let mostNames = 16

    private let rules: PlateRules
    /// Which of the imaged wells are faulty now; wells that merely wait for their `CLEAR` are not.
    private let faulty: [Well: Bool]
    private let shifted: Set<Well>
    private let drifting: Set<Well>
    private let announced: Set<PlatePattern>

    /// Takes the wells as they stand at a frame.
    ///
    /// `standings` has the views of every imaged well. `changes` are the run's alarms of shift and drift; wells of a plate are imaged in
    /// step, so only those near `index` count. `announced` are the alarms of the plate that stand.
    package init(
        standings: [Well: [ViewStanding]],
        changes: [Alarm],
        announced: [Alarm],
        at index: Int,
        rules: PlateRules
    ) {
        self.rules = rules
        faulty = standings.mapValues(\.isFaultyNow)
        self.announced = Set(announced.compactMap { $0.pattern.flatMap(PlatePattern.init(name:)) })
        func recent(_ event: Alarm.Event) -> Set<Well> {
            Set(
                changes.filter { $0.event == event && abs($0.frame.index - index) < ChangeRule.silence }
                    .map(\.frame.well)
            )
        }
        (shifted, drifting) = (recent(.shift), recent(.drift))
    }

    /// Which wells are faulty, have shifted or drift.
    private var affected: [Well: Bool] {
        faulty.merging(shifted.union(drifting).map { ($0, true) }) { $0 || $1 }
    }

    /// What is to be announced, patterns that end first.
    package var transitions: [Transition] {
        let patterns = rules.patterns(affected)
        return announced.subtracting(patterns).sorted().map { .ends($0) }
            + patterns.filter { !announced.contains($0) }.map { .begins($0, reason: reason($0)) }
    }

    /// The announced patterns that hold now, each with its reason as it is now.
    package var standing: [PlatePattern: String] {
        let held = announced.isEmpty ? [] : rules.patterns(affected).filter(announced.contains)
        return Dictionary(uniqueKeysWithValues: held.map { ($0, reason($0)) })
    }

    /// Whether an announced pattern that still holds has this well, so that the journal need not be told of it.
    package func speaks(for well: Well) -> Bool {
        guard !announced.isEmpty else { return false }
        let affected = affected
        return rules.patterns(affected).contains { pattern in
            announced.contains(pattern) && rules.members(of: pattern, among: affected.keys).contains(well)
        }
    }

    private func reason(_ pattern: PlatePattern) -> String {
        let affected = affected
        let members = rules.members(of: pattern, among: affected.keys)
        let hit = members.filter { affected[$0] == true }
        let names = hit.prefix(Self.mostNames).map(\.description).joined(separator: " ")
        let more = hit.count > Self.mostNames ? " and \(hit.count - Self.mostNames) more" : ""
        return
            "\(hit.count) of its \(members.count) wells \(what(of: hit)) (\(names)\(more)): \(pattern.advice)"
    }

    /// For example `are faulty`, or `have shifted or drift` where some wells do the one and some the other.
    private func what(of hit: [Well]) -> String {
        let kinds = [
            ("are faulty", hit.contains { faulty[$0] == true }),
            ("have shifted", hit.contains { faulty[$0] != true && shifted.contains($0) }),
            ("drift", hit.contains { faulty[$0] != true && !shifted.contains($0) }),
        ].filter(\.1).map(\.0)
        let last = kinds.suffix(2).joined(separator: " or ")
        return (kinds.dropLast(2) + [last]).joined(separator: ", ")
    }
}
