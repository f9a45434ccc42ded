import Foundation
import Tables

/// Measured figures, printed as `name median p90 unit` and on request written as JSON.
struct Measurements {
    /// One figure.
    struct Entry: Encodable {
        let name: String
        let median: Double
        let p90: Double
        let unit: String
    }

    private(set) var entries: [Entry] = []

    /// Adds a figure measured several times, and prints it.
    mutating func add(_ name: String, _ values: [Double], unit: String) {
        let sorted = values.sorted()
        guard let last = sorted.last else { return }
        let p90 = sorted[min(sorted.count * 9 / 10, sorted.count - 1)]
        let entry = Entry(name: name, median: sorted[sorted.count / 2], p90: max(p90, sorted[0]), unit: unit)
        entries.append(entry)
        let digits = last < 10 ? 3 : 1
        let line = "\(name) \(entry.median.digits(digits)) \(entry.p90.digits(digits)) \(unit)\n"
        FileHandle.standardOutput.write(Data(line.utf8))
    }

    /// Seconds of so many runs, after one that makes plans and buffers and does not count.
    static func seconds(_ count: Int, _ body: () throws -> Void) rethrows -> [Double] {
        let clock = ContinuousClock()
        return try (0...count).map { _ in
            let start = clock.now
            try body()
            return (clock.now - start) / .seconds(1)
        }.dropFirst().map { $0 }
    }

    /// Measures something in milliseconds.
    mutating func time(_ name: String, _ count: Int, _ body: () throws -> Void) rethrows {
        add(name, try Self.seconds(count, body).map { 1000 * $0 }, unit: "ms")
    }

    /// Writes all figures as a JSON list.
    func write(path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(entries).write(to: URL(filePath: path), options: .atomic)
    }
}
