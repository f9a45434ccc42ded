import ArgumentParser
import Foundation
import Frames
import Simulation

/// `autoqc simulate sheet`.
struct SimulateSheetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sheet",
        abstract: "Put real and simulated frames side by side: pictures and statistics.",
        discussion: """
            Writes simulation-contact-sheet.png, shuffled, and simulation-statistics.md with its key and the table. The \
            real frames are those of AUTOQC_DATA.
            """
    )

    @Option(help: "Folder with complexeye/ and hsc_brightfield/ (default: AUTOQC_DATA).")
    var data: String?
    @Option(help: "Folder for the two files.")
    var out: String
    @Option(help: "Everything random follows from here.")
    var seed: UInt64 = 1

    func run() throws {
        guard let folder = data ?? ProcessInfo.processInfo.environment["AUTOQC_DATA"] else {
            throw ValidationError("name the folder of real frames: --data, or AUTOQC_DATA in the environment")
        }
        let comparison = try Comparison(data: folder, seed: seed)
        try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
        Terminal.note("drawing the sheet")
        let (image, key) = comparison.sheet()
        try image.write(to: "\(out)/simulation-contact-sheet.png")
        Terminal.note("measuring frames")
        let text = """
            # Simulated and real frames in numbers

            Written by `autoqc simulate sheet --out docs --seed \(seed)`. Real: two ComplexEye frames, brightfield frames of \
            blood stem cells, a movie of neutrophils (250 x 190). Simulated: percentiles over twelve typical wells.

            \(comparison.table())

            ## Key to the contact sheet

            \(key.map { "- \($0)" }.joined(separator: "\n"))

            """
        try Data(text.utf8).write(to: URL(filePath: "\(out)/simulation-statistics.md"))
    }
}
