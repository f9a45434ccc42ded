import Mathematics

/// Which frames are judged together, by what was fitted to all others.
///
/// Frames of one well are alike, and so are frames that follow one another: a fold that is drawn at random would know the neighbours
/// of its frames. So frames are put in order of well and time, and each fold is one stretch of them. Where they come from a few
/// folders, each folder is cut by itself: frames of one microscope among several would otherwise be judged by those of the others.
package enum Folds {
    /// More folds cost time, and change little.
    private static let most = 5

    /// The fold of each frame, from 0 on, from keys that sort by well and time; frames of one key are in one fold.
    ///
    /// `folders` has the folder of each frame. More of them than there are folds are no microscopes, but wells.
    package static func stretches<Key: Comparable>(_ keys: [Key], folders: [String] = []) -> [Int] {
        let isCutByFolder = (2...most).contains(Set(folders).count)
        let groups = Dictionary(grouping: keys.indices) { isCutByFolder ? folders[$0] : "" }
        var folds = [Int](repeating: 0, count: keys.count)
        for group in groups.values {
            let order = group.sorted { (keys[$0], $0) < (keys[$1], $1) }
            let count = min(most, order.count)
            for (place, index) in order.enumerated() {
                let isLikeLast = place > 0 && keys[order[place - 1]] == keys[index]
                folds[index] = isLikeLast ? folds[order[place - 1]] : place * count / order.count
            }
        }
        return folds
    }
}

/// Which of some severities are too far out to say anything about the others.
package enum RobustLimit {
    /// Quartile spreads above the median from which on a frame is left out.
    private static let spreads = 8.0
    /// No frame below this severity is left out: a few frames that happen to be alike must not make others outliers.
    private static let least = 6.0

    /// The largest severity that is not left out.
    package static func limit(_ severities: [Double]) -> Double {
        let quartiles = severities.quantiles([0.25, 0.5, 0.75])
        return max(quartiles[1] + spreads * (quartiles[2] - quartiles[0]), least)
    }
}
