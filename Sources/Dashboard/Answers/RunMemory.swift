package import Ledger
import Plate
package import Rules
import Synchronization

/// How each lens did in each run of a ledger; what was found of a run is kept until a frame of it is added.
package final class LensHistory: Sendable {
    /// How the lenses stand.
    let rules: PlateRules
    private let known = Mutex<[String: (lastSequence: Int64, lenses: [Int: LensTally.Summary])]>([:])

    /// Looks into ledgers of a microscope whose lenses stand like this.
    package init(rules: PlateRules) {
        self.rules = rules
    }

    /// All runs, in the order of their first outcome.
    ///
    /// Reads every frame of the runs that changed since it was asked last: a second or two for a million.
    package func trend(of ledger: FrameLedger) throws(LedgerError) -> LensTrend {
        var trend = LensTrend()
        for run in try ledger.runs().sorted(by: { ($0.first, $0.lastSequence) < ($1.first, $1.lastSequence) })
        {
            trend.add(run.run, try lenses(of: run, ledger))
        }
        return trend
    }

    private func lenses(
        of run: FrameLedger.RunSummary,
        _ ledger: FrameLedger
    ) throws(LedgerError) -> [Int: LensTally.Summary] {
        if let kept = known.withLock({ $0[run.run] }), kept.lastSequence == run.lastSequence {
            return kept.lenses
        }
        var tally = LensTally(rules: rules)
        try ledger.forEachSeverity(of: run.run) { tally.add($0, severity: $1, isFaulty: $2) }
        let lenses = tally.summaries
        known.withLock { $0[run.run] = (run.lastSequence, lenses) }
        return lenses
    }
}

/// The worst frame of each well of a run; what was found is kept, and only later alarms are looked at.
final class WorstFaults: Sendable {
    private struct Run {
        var last: Int64 = 0
        var wells: [Well: FrameLedger.WorstFault] = [:]
    }

    private struct State {
        weak var ledger: FrameLedger?
        var runs: [String: Run] = [:]
    }

    /// Runs that are kept: those that somebody looks at.
    private static let mostRuns = 16

    private let state = Mutex(State())

    func wells(of run: String, in ledger: FrameLedger) throws(LedgerError) -> [Well: FrameLedger.WorstFault] {
        try state.withLock { (state: inout State) throws(LedgerError) -> [Well: FrameLedger.WorstFault] in
            if state.ledger !== ledger { state = State(ledger: ledger) }
            var known = state.runs[run] ?? Run()
            let (last, worst) = try ledger.worstFaults(of: run, after: known.last)
            known.last = last
            known.wells.merge(worst) { $0.ratio < $1.ratio ? $1 : $0 }
            if state.runs.count >= Self.mostRuns { state.runs = [:] }
            state.runs[run] = known
            return known.wells
        }
    }
}
