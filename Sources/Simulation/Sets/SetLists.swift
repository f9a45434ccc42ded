/// The lists of a labelled set: CSV with the header `img_path,seg_path,label,fault,severity`.
///
/// Paths are relative to the set's folder; label 1 is faulty; the last three are empty, or 0, for normal frames.
enum SetLists {
    private static let header = ["img_path", "seg_path", "label", "fault", "severity"]

    /// Names of the lists and their rows.
    static func all(_ items: [SetItem], folds: Int) -> [(name: String, rows: [[String]])] {
        let training = items.filter(\.isTraining)
        let isApart = { (number: Int) in
            number % 10 == 9 || training.count < 10 && number == training.count - 1
        }
        let numbered = Array(training.enumerated())
        var lists = [
            ("normal_train.csv", rows(numbered.filter { !isApart($0.offset) }.map(\.element))),
            ("normal_val.csv", rows(numbered.filter { isApart($0.offset) }.map(\.element))),
        ]
        let test = items.filter { !$0.isTraining }
        let assigned = Self.folds(of: test, count: folds)
        for fold in 0..<folds {
            let validation = zip(test, assigned).filter { $0.1 == fold }.map(\.0)
            let rest = zip(test, assigned).filter { $0.1 != fold }.map(\.0)
            lists.append(("test_val_fold\(fold).csv", rows(validation)))
            lists.append(("test_test_fold\(fold).csv", rows(rest)))
        }
        return lists
    }

    /// A fold for each frame: within each class the folds take turns, and go on with the next class.
    private static func folds(of items: [SetItem], count: Int) -> [Int] {
        var result = [Int](repeating: 0, count: items.count)
        var turn = 0
        for kind in [nil] + FaultKind.allCases.map(Optional.some) {
            for (index, item) in items.enumerated() where item.fault?.kind == kind {
                result[index] = turn % count
                turn += 1
            }
        }
        return result
    }

    private static func rows(_ items: [SetItem]) -> [[String]] {
        [header]
            + items.map { item in
                guard let fault = item.fault, let mask = item.maskPath else {
                    return [item.path, "", "0", "", "0"]
                }
                let thousandths = Int((fault.severity * 1000).rounded())
                let digits = "\(1000 + thousandths % 1000)".dropFirst()
                return [item.path, mask, "1", fault.kind.rawValue, "\(thousandths / 1000).\(digits)"]
            }
    }
}
