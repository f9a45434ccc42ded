import ArgumentParser
import Auditing
import Foundation
import Reporting
import Tables
import Training

/// `autoqc lenses`.
struct LensesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lenses",
        abstract: "Show how each lens did in each run, and how far that is from the runs before.",
        discussion: """
            A table as CSV: run, lens, frames, faulty ones, median severity, and its distance from the lens's medians of the \
            runs before in their standard deviation (from the sixth run on). Lenses that are 3 or more above are named at \
            the end: look at them before their frames are faulty.
            """
    )

    @OptionGroup var ledger: LedgerOptions
    @OptionGroup var lenses: LensOptions

    func run() throws {
        let table = try lenses.trend(of: ledger.open()).rows
        guard !table.isEmpty else { throw DataError("\(ledger.out): no frame of it is judged yet") }
        Terminal.say("run,lens,frames,faulty,severity_median,deviation")
        for row in table {
            Terminal.say(
                CSV.row([
                    row.run, "\(row.lens)", "\(row.frames)", "\(row.faulty)", row.median.digits(3),
                    row.deviation?.digits(2) ?? "",
                ])
            )
        }
        for row in table where row.isOut {
            Terminal.note(
                "run \(row.run): \(PlatePattern.lens(row.lens).advice), its frames are less normal than in the runs before"
            )
        }
    }
}
