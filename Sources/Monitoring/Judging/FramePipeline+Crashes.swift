import Acquisition
import Logging
import Plate

extension FramePipeline {
    /// Says that the program ended twice while it judged a file.
    static let crashReason =
        "the program ended twice while it judged this file; it is judged again once it is written again"

    /// Judges a file with a note of it for the case of a crash; one that was judged at two crashes is not judged.
    ///
    /// One that was judged at a crash is judged alone: outcomes before it are made durable first, and its own at once. Returns
    /// what `judge` returns, whether the file is done with.
    func judgeNoted(
        _ queued: QueuedFrame,
        into results: inout [PageResult],
        _ settings: Settings,
        judge: (inout [PageResult]) throws -> Bool
    ) throws -> Bool {
        guard let note = environment.note else { return try judge(&results) }
        let path = queued.file.path
        let isSuspect = note.isSuspect(path)
        if isSuspect { try finish(&results, settings) }
        if results.isEmpty { note.clear() }
        guard note.begin(path, tick: { environment.heartbeat.tick() }) else {
            environment.logger.error(
                "A file is not judged any more, as the program ended twice while it judged it",
                metadata: ["file": "\(path)", "reason": "\(Self.crashReason)"]
            )
            results.append(PageResult(file: queued.file, outcome: .quarantined(reason: Self.crashReason)))
            return true
        }
        let isDone = try judge(&results)
        guard isSuspect else { return isDone }
        try finish(&results, settings)
        note.clear(isJudged: isDone)
        return isDone
    }
}
