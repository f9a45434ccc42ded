import Foundation
import Frames
package import Ledger
package import Plate
package import Reporting
import Rules

/// A run for OMERO, as files that its importers read; no server is asked.
///
/// ```
/// DIR/mihcsme.xlsx          what was found in each well, in the layout of MIHCSME: key-value pairs of the wells
/// DIR/frames/NAME.ome.tiff  each faulty frame with its regions as polygons and its verdict as key-value pairs
/// ```
/// Polygons of OME have no holes: a region's holes are filled there.
package struct OmeroFiles {
    /// How it came out.
    package struct Outcome: Sendable {
        /// Frames written.
        package fileprivate(set) var frames = 0
        /// Faulty frames whose file or mask is gone or cannot be read.
        package fileprivate(set) var leftOut = 0
    }

    private let run: String
    private let ledger: FrameLedger
    private let tree: OutputTree
    private let version: String
    private let folder: ExportFolder

    /// Names what is written where; the folder must not be there yet, be empty, or hold the same export unfinished.
    package init(run: String, ledger: FrameLedger, tree: OutputTree, version: String, folder: String) throws {
        (self.run, self.ledger, self.tree, self.version) = (run, ledger, tree, version)
        let state = try ExportFolder.state(of: run, ledger: ledger, tree: tree)
        self.folder = try ExportFolder(folder, parts: ["omero", version, run] + state)
    }

    /// Writes it; `report` hears of each well.
    package func write(report: (_ well: Well) -> Void = { _ in }) throws -> Outcome {
        var outcome = Outcome()
        let views = Dictionary(
            grouping: try UsableTables(ledger: ledger, tree: tree, run: run).views,
            by: \.well
        )
        try folder.add("mihcsme.xlsx") { try workbook(views).bytes }
        for well in try ledger.wells(of: run) where well.flagged > 0 {
            for record in try ledger.records(of: well.well, run: run, .init(flaggedOnly: true)) {
                guard try write(record) else {
                    outcome.leftOut += 1
                    continue
                }
                outcome.frames += 1
            }
            report(well.well)
        }
        try folder.finish()
        return outcome
    }

    // MARK: - Wells

    private func workbook(_ views: [Well: [UsableTables.View]]) throws -> Workbook {
        let models = Set(try ledger.sessions().map(\.model)).sorted().joined(separator: ", ")
        func sheet(_ title: String, _ rows: [(String, String, String)]) -> [[Workbook.Cell]] {
            [[.text("# \(title)")], ["Group", "Key", "Value"].map { .text($0) }]
                + rows.map { [.text($0.0), .text($0.1), .text($0.2)] }
        }
        var book = Workbook()
        book.add(
            "InvestigationInformation",
            sheet("Investigation", [("InvestigationInfo", "Investigation Title", "Quality control")])
        )
        book.add(
            "StudyInformation",
            sheet(
                "Study",
                [
                    ("Study", "Study Title", "Run \(run)"),
                    ("Library", "Quality Control Description", "autoqc \(version), model \(models)"),
                ]
            )
        )
        book.add(
            "AssayInformation",
            sheet(
                "Assay",
                [
                    ("Assay", "Assay Title", run), ("Assay", "Number of plates", "1"),
                    ("ImageData", "Image number of timepoints", "\(timepoints(views))"),
                ]
            )
        )
        let columns = Self.columns
        book.add(
            "AssayConditions",
            [
                [.text("# What autoqc found in each well")],
                (["Plate", "Well"] + columns.map(\.name)).map { .text($0) },
            ]
                + views.keys.sorted().map { well in
                    [.text(run), .text(well.description)]
                        + columns.map { column in
                            .text(Self.joined(views[well] ?? [], column.value))
                        }
                }
        )
        return book
    }

    private func timepoints(_ views: [Well: [UsableTables.View]]) -> Int {
        views.values.joined().map(\.usable.frames).max() ?? 0
    }

    private static let columns: [(name: String, value: @Sendable (UsableTables.View) -> String)] = [
        ("QC verdict", { $0.usable.verdict.rawValue }),
        ("QC frames", { "\($0.usable.frames)" }),
        ("QC frames flagged", { "\($0.flagged)" }),
        ("QC frames unreadable", { "\($0.unreadable)" }),
        ("QC frames usable", { "\($0.usable.usable)" }),
        (
            "QC usable intervals",
            { $0.usable.intervals.map { "\($0.first)-\($0.last)" }.joined(separator: " ") }
        ),
        ("QC most frequent cause", { $0.cause ?? "" }),
        ("QC review", { $0.review ?? "" }),
    ]

    /// The word on the only view of a well, or on each with its name.
    private static func joined(
        _ views: [UsableTables.View],
        _ value: (UsableTables.View) -> String
    ) -> String {
        let words = views.map { ($0.view.words, value($0)) }
        guard words.count > 1 else { return words.first?.1 ?? "" }
        return words.map { "\($0): \($1)" }.joined(separator: "; ")
    }

    // MARK: - Frames

    /// Writes a faulty frame; `false` where its file or its mask cannot be read.
    private func write(_ record: FrameRecord) throws -> Bool {
        guard let judgement = record.judgement,
            let name = judgement.maskPath.flatMap(Sidecars.name(ofMask:)),
            let reader = try? TIFFReader(path: record.source.absolutePath),
            let type = (try? reader.shape(page: record.source.page))?.type,
            let frame = try? reader.frame(page: record.source.page),
            let mask = try? TIFFReader(path: "\(tree.masks(run: run))/\(name).mask.tiff").frame(page: 0)
        else { return false }
        try folder.add("frames/\(name).ome.tiff") {
            try TIFFWriter.write(
                frame,
                to: $0,
                type: type,
                compression: .fastDeflate,
                pixelSize: reader.pixelSize,
                notes: Self.notes(name, record, judgement, MaskOutline(Mask(mask)))
            )
        }
        return true
    }

    private static func notes(
        _ name: String,
        _ record: FrameRecord,
        _ judgement: Judgement,
        _ outline: MaskOutline
    ) -> OMENotes {
        let figures: [(String, Double?)] = [
            ("QC severity", judgement.severity), ("QC threshold", judgement.threshold),
            ("QC score", judgement.score), ("QC confidence", judgement.confidence),
        ]
        var words = [
            ("QC verdict", judgement.verdict.rawValue), ("QC cause", judgement.cause.cause.rawValue),
        ]
        words += figures.compactMap { name, value in
            value.flatMap { $0.isFinite ? (name, "\($0)") : nil }
        }
        if let model = record.model { words.append(("QC model", model)) }
        return OMENotes(
            name: name,
            acquired: record.source.identity?.modified.iso8601,
            words: words.map { (key: $0.0, value: $0.1) },
            regions: outline.regions.enumerated().map { number, region in
                OMENotes.Region(
                    name: "\(name) \(number + 1)",
                    colour: judgement.cause.cause.colour,
                    corners: (region.rings.first ?? []).dropLast().map { (x: $0.x, y: $0.y) }
                )
            }
        )
    }
}
