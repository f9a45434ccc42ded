import Frames
import Ledger
import Plate
import Rules
import Synchronization

/// The detail that the next frame of each view is compared with (`ArrivalRule`), so that earlier files are not read for each frame.
///
/// Nothing depends on it. After a restart it is made again from the files that the ledger names.
final class KnownArrivals: Sendable {
    private struct Key: Hashable {
        let run: String
        let well: Well
        let view: FrameView

        init(_ frame: FrameID) { (run, well, view) = (frame.run, frame.well, frame.view) }
    }

    private struct Entry {
        let rule: ArrivalRule
        let newest: PlaceInTime?
        let model: String
        let age: Int
    }

    /// Some 64 KiB each.
    private static let capacity = 1024

    private struct Entries {
        var table: [Key: Entry] = [:]
        /// How often an entry was kept.
        var count = 0
    }

    private let entries = Mutex(Entries())

    /// The rule of a frame's view after its newest frame; `nil` where it is not kept.
    func rule(of frame: FrameID, after newest: PlaceInTime?, model: String) -> ArrivalRule? {
        entries.withLock { entries in
            guard let entry = entries.table[Key(frame)], entry.newest == newest, entry.model == model else {
                return nil
            }
            return entry.rule
        }
    }

    /// Keeps the rule of a frame's view after its newest frame, in the place of the oldest one if there are too many.
    func keep(_ rule: ArrivalRule, of frame: FrameID, after newest: PlaceInTime?, model: String) {
        entries.withLock { entries in
            entries.count += 1
            entries.table[Key(frame)] = Entry(
                rule: rule,
                newest: newest,
                model: model,
                age: entries.count
            )
            guard entries.table.count > Self.capacity,
                let oldest = entries.table.min(by: { $0.value.age < $1.value.age })
            else { return }
            entries.table[oldest.key] = nil
        }
    }
}

extension ArrivalRule {
    /// Reads the files of a view's last quiet frame and of those after it again.
    ///
    /// Nothing is known if a file is gone or has changed.
    init(
        after frames: [PastFrame],
        of frame: FrameID,
        _ settings: FramePipeline.Settings,
        _ environment: FramePipeline.Environment
    ) throws {
        self.init()
        guard let quiet = frames.lastIndex(where: \.isQuiet) else { return }
        for past in frames[quiet...] {
            let id = FrameID(run: frame.run, well: frame.well, view: frame.view, index: past.index)
            let records = try environment.ledger.records(of: id)
            guard let record = records.first(where: { $0.judgement?.wellIsFaulty != nil }),
                let pixels = Self.frame(of: record.source, environment),
                record.digest?.pixels == pixels.digest,
                let detail = settings.judge.detail(of: pixels)
            else {
                self.init()
                return
            }
            if past.isQuiet { settle(on: detail) } else { _ = add(detail) }
        }
    }

    /// A share that does not answer is to blame for the wait, not the thread that asks it.
    private static func frame(of source: FrameSource, _ environment: FramePipeline.Environment) -> Frame? {
        environment.heartbeat.asking(source.root) {
            try? environment.reader.open(source.absolutePath).frame(page: source.page)
        }
    }
}
