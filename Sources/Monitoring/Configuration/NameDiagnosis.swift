import Acquisition
import Plate

extension Diagnosis {
    /// Names of which it is shown what a pattern reads.
    private static let examples = 5

    /// Which pattern fits the names of the files that lie in the watched folders, and what it reads out of five of them.
    static func names(in folders: [String], output: String, pattern: String) -> [Diagnosis] {
        guard let configured = try? FramePattern(pattern) else { return [] }
        let survey = PatternSurvey(folders: folders, excluded: [output])
        guard survey.count > 0 else {
            return [Diagnosis(.fine, "file names", "no TIFF files yet; pattern \(printableName(pattern))")]
        }
        let fit = survey.fit(configured)
        let words = "pattern \(printableName(pattern)) fits \(fit.frames) of \(survey.count) TIFF files"
        guard let refused = fit.refused else {
            let passed = fit.passedOver > 0 ? ", and passes over the others" : ""
            return [Diagnosis(.fine, "file names", words + passed)] + reading(survey, configured)
        }
        let others = ReadyPattern.all.compactMap { ready in
            (try? FramePattern(ready.name)).map { (ready: ready, pattern: $0, fit: survey.fit($0)) }
        }
        let best = others.max { $0.fit.frames < $1.fit.frames }.flatMap {
            $0.fit.frames > fit.frames ? $0 : nil
        }
        let remedy =
            best.map {
                "`pattern: \($0.ready.name)` (\($0.ready.system)) fits \($0.fit.frames) of \(survey.count)"
            }
            ?? "write a pattern for these names, or name them otherwise: see docs/names.md"
        let warning = Diagnosis(
            fit.frames == 0 ? .failure : .warning,
            "file names",
            "\(words); it does not fit \(refused)",
            remedy: remedy
        )
        return [warning] + reading(survey, best?.pattern ?? configured)
    }

    private static func reading(_ survey: PatternSurvey, _ pattern: FramePattern) -> [Diagnosis] {
        survey.examples(pattern, atMost: examples).map { name, frame in
            let view = frame.view.words
            let parts = [
                "run \(printableName(frame.run))", "well \(frame.well)", printableName(view),
                "frame \(frame.index)",
            ]
            let words = parts.filter { !$0.isEmpty }.joined(separator: ", ")
            return Diagnosis(
                .fine,
                "file name",
                "\(printableName(pattern.description)) reads \(name) as \(words)"
            )
        }
    }
}
