import Training

/// The frame that stands for each class of fault in the pictures: the first one of the tests with a truth.
struct PanelExamples {
    /// A frame and the fold whose threshold its masks are taken at.
    struct Example {
        let frame: BenchmarkFrame
        let fold: Int
    }

    /// Class of fault and example, by class; frames without a class are of the class `faulty`.
    let all: [(fault: String, example: Example)]

    init(folds: [SurveyedFold]) {
        var chosen: [String: Example] = [:]
        for fold in folds {
            for frame in fold.test where frame.isFaulty && frame.hasTruth {
                let fault = frame.labelled.fault ?? "faulty"
                if chosen[fault] == nil { chosen[fault] = Example(frame: frame, fold: fold.number) }
            }
        }
        all = chosen.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    func contain(_ frame: BenchmarkFrame) -> Bool {
        all.contains { $0.example.frame.digest == frame.digest }
    }
}
