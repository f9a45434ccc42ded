import Acquisition
import ArgumentParser
import Auditing
import Foundation
import Ledger
import Plate
import Reporting
import Training

/// `autoqc sync`.
struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Wait until everything that lies in the watched folders now is judged.",
        discussion: """
            A barrier for scripts: returns 0 when every frame that existed at the call has its outcome, for a file that is \
            never finished a minute after it was last written to. Exits with 1 if no daemon runs on the output folder, or the \
            time is over.
            """
    )

    @OptionGroup var ledger: LedgerOptions
    @OptionGroup var watched: WatchedOptions
    @Option(help: "Seconds to wait, at most (default: as long as it takes).")
    var timeout: Double?

    private static let interval = Duration.milliseconds(200)
    /// Waiting must not cost the daemon its cores: of the time, looking takes no larger share.
    private static let share = 50

    func run() async throws {
        let opened = try ledger.open()
        let (folders, pattern) = try watched.resolve(opened)
        var barrier = Barrier(
            FrameListing(roots: folders, pattern: pattern, excluded: [ledger.tree.root])
        )
        let all = barrier.waiting.count
        let deadline = timeout.map { ContinuousClock.now + .seconds($0) }
        var terminal = Terminal()
        while true {
            let cost = try ContinuousClock().measure { try barrier.look(into: opened) }
            let left = barrier.waiting.count
            terminal.progress("\(all - left) of \(all) files have their outcome", isLast: left == 0)
            guard left > 0 else { return }
            guard OutputLock.isHeld(ledger.tree) else {
                throw DataError(
                    "\(left) of \(all) files wait, and no daemon runs on \(ledger.out): start `autoqc watch`"
                )
            }
            if let deadline, ContinuousClock.now >= deadline {
                throw DataError(
                    "\(left) of \(all) files still wait; the first is \(barrier.waiting[0].source.path)"
                )
            }
            try await Task.sleep(for: max(Self.interval, cost * Self.share))
        }
    }
}
