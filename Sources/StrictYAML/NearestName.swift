/// What somebody may have meant by a name that does not exist.
package enum NearestName {
    /// The known name that takes the fewest changes of letters to become; the first of several.
    ///
    /// Names may have sections, `batch.frames`: the right word in the wrong section costs one change.
    package static func of(_ name: String, among known: [String]) -> String? {
        let lastWord = name.split(separator: ".").last.map(String.init) ?? name
        let distances = known.map { known in
            let knownWord = known.split(separator: ".").last.map(String.init) ?? known
            return min(editDistance(name, known), editDistance(lastWord, knownWord) + 1)
        }
        return zip(known, distances).min { $0.1 < $1.1 }?.0
    }

    /// Insertions, deletions and replacements from one text to the other.
    static func editDistance(_ left: String, _ right: String) -> Int {
        let right = Array(right.unicodeScalars)
        var previous = Array(0...right.count)
        for (row, scalar) in left.unicodeScalars.prefix(200).enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                current.append(
                    min(
                        previous[column + 1] + 1,
                        current[column] + 1,
                        previous[column] + (scalar == other ? 0 : 1)
                    )
                )
            }
            previous = current
        }
        return previous.last ?? 0
    }
}
