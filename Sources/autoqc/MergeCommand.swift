import ArgumentParser
import Auditing
import Foundation
import Monitoring
import Plate
import Reporting
import Tables

struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Join the output folders of the parts of an archive.",
        discussion: """
            The parts that `autoqc score --out --shard` wrote become one output folder. It has the same \
            table, masks and usable frames as one run over all frames. A part that was joined earlier adds \
            nothing, so the command can be repeated with more parts. These parts are refused, with the \
            reason: frames of one well in two parts, another model, another verdict on the same frame. The \
            command then exits with 1. The parts do not change.

            Examples:
              autoqc merge --out plate7 part*
              autoqc merge --out plate7 part1 part2 --jsonl > frames.jsonl
            """
    )

    @Option(
        help: ArgumentHelp("The folder that the parts are joined in.", valueName: "DIR"),
        completion: .directory
    )
    var out: String
    @OptionGroup var output: TableOptions
    @Flag(help: "Say nothing but errors.")
    var quiet = false
    @Argument(
        help: ArgumentHelp("Output folders of `autoqc score --out`.", valueName: "DIR"),
        completion: .directory
    )
    var parts: [String]

    func run() throws {
        Terminal.isQuiet = quiet
        for part in parts { try LedgerOptions.requireLedger(in: part) }
        let tree = LedgerOptions.tree(out)
        var (isWhole, added) = (true, 0)
        let form = output.form
        let totals = try ExitStatus.exiting(EXIT_FAILURE) {
            var merge = try OutputMerge(into: tree)
            for part in parts {
                do {
                    added += try merge.add(LedgerOptions.tree(part))
                } catch let conflict as OutputMerge.Conflict {
                    Terminal.error("\(conflict)")
                    isWhole = false
                }
            }
            return try merge.finish { try FrameTable.write(form, of: $0, into: tree) }
        }
        Terminal.note("\(tree.frames(ending: form.ending)): \(totals.words); \(added) of them new")
        guard isWhole else { throw ExitCode.failure }
    }
}
