import ArgumentParser
import Dashboard
import Ledger
import Rules

/// How the lenses stand, for commands that look at each of them.
struct LensOptions: ParsableArguments {
    @Option(help: "Rows of the lenses that move over the plate together.")
    var lensRows = 4
    @Option(help: "Columns of the lenses.")
    var lensColumns = 4

    func validate() throws {
        guard (1...32).contains(lensRows), (1...32).contains(lensColumns) else {
            throw ValidationError("--lens-rows and --lens-columns are from 1 to 32")
        }
    }

    /// How each lens did in each run of a ledger.
    func trend(of ledger: FrameLedger) throws -> LensTrend {
        try LensHistory(ledger: ledger, rules: rules).trend()
    }

    var rules: PlateRules { PlateRules(lensRows: lensRows, lensColumns: lensColumns) }
}
