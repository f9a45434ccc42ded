package import Ledger
package import Rules
import Synchronization

/// How each lens did in each run of a ledger; what was found of a run is kept until a frame of it is added.
package final class LensHistory: Sendable {
    private struct Known: Sendable {
        let lastSequence: Int64
        let lenses: [Int: LensTally.Summary]
    }

    private let ledger: FrameLedger
    private let rules: PlateRules
    private let known = Mutex<[String: Known]>([:])

    /// Looks into a ledger of a microscope whose lenses stand like this.
    package init(ledger: FrameLedger, rules: PlateRules) {
        self.ledger = ledger
        self.rules = rules
    }

    /// All runs, in the order of their first outcome.
    ///
    /// Reads every frame of the runs that changed since it was asked last: a second or two for a million.
    package func trend() throws(LedgerError) -> LensTrend {
        var trend = LensTrend()
        for run in try ledger.runs().sorted(by: { ($0.first, $0.lastSequence) < ($1.first, $1.lastSequence) })
        {
            trend.add(run.run, try lenses(of: run))
        }
        return trend
    }

    private func lenses(of run: FrameLedger.RunSummary) throws(LedgerError) -> [Int: LensTally.Summary] {
        if let kept = known.withLock({ $0[run.run] }), kept.lastSequence == run.lastSequence {
            return kept.lenses
        }
        var tally = LensTally(rules: rules)
        try ledger.forEachSeverity(of: run.run) { tally.add($0, severity: $1, isFaulty: $2) }
        let found = Known(lastSequence: run.lastSequence, lenses: tally.summaries)
        known.withLock { $0[run.run] = found }
        return found.lenses
    }
}
