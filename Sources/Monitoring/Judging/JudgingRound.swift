import Acquisition
import Logging
import Plate

/// Judges what was read; a failure of the judge becomes a result of the frames it fails on.
struct JudgingRound {
    let judge: any FrameJudge
    let tier: Tier
    let logger: Logger

    /// A result for each page, in order.
    func judge(_ work: [PageWork]) -> [PageResult] {
        var results: [PageResult] = []
        var group: [(work: PageWork, frame: Frame)] = []
        for page in work {
            guard case .frame(let frame) = page.content else {
                results += outcomes(of: group)
                group = []
                if case .failed(let reason) = page.content {
                    results.append(PageResult(page, outcome: .failed(reason: reason)))
                }
                continue
            }
            if let first = group.first?.frame, (first.height, first.width) != (frame.height, frame.width) {
                results += outcomes(of: group)
                group = []
            }
            group.append((page, frame))
        }
        return results + outcomes(of: group)
    }

    /// Frames of one size; where they fail together, each is judged alone.
    private func outcomes(of group: [(work: PageWork, frame: Frame)]) -> [PageResult] {
        guard !group.isEmpty else { return [] }
        do {
            let judgements = try judge.judge(group.map(\.frame), tier: tier)
            guard judgements.count == group.count else {
                throw WrongCount(got: judgements.count, of: group.count)
            }
            return zip(group, judgements).map { PageResult($0.work, outcome: Self.outcome($1)) }
        } catch {
            let name = group[0].work.file.relativePath
            logger.error(
                "Frames could not be judged",
                metadata: Logger.Metadata([.file: "\(name)", .reason: "\(error)"])
            )
            if group.count > 1 { return group.flatMap { outcomes(of: [$0]) } }
            return [PageResult(group[0].work, outcome: .failed(reason: "the model failed on it: \(error)"))]
        }
    }

    /// Figures that are no numbers are no verdict: a file of floats can hold values that no sum survives.
    private static func outcome(_ judgement: Judgement) -> PageResult.Outcome {
        let scores = judgement.scores
        let figures = [scores.maximum, scores.mean, scores.patch, judgement.score, judgement.severity]
        return figures.allSatisfy(\.isFinite)
            ? .judged(judgement) : .failed(reason: "its grey values are too large to be judged")
    }

    private struct WrongCount: Error, CustomStringConvertible {
        let got: Int
        let of: Int
        var description: String { "\(got) judgements for \(of) frames" }
    }
}
