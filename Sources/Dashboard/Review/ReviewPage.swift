import Foundation
import Frames
package import Ledger
import Plate
package import Reporting

/// A run as one HTML file to keep or mail: no script, nothing from outside, pictures within.
package struct ReviewPage {
    /// What it is made of.
    package struct Options: Sendable {
        /// Largest file, in bytes; pictures that do not fit are left out and counted.
        package var largestSize = 20 << 20
        /// Width of a picture, in pixels.
        package var pictureWidth = 320
        /// How many wells the map shows.
        package var plate = WebSettings.PlateFormat.auto
        /// Sentences about whether every frame has its outcome, from an audit.
        package var audit: [String] = []
        /// For each lens of the run its rows up to this run (`LensTrend.charts`).
        package var lenses: [[LensTrend.Row]] = []

        /// The usual ones.
        package init() {}
    }

    /// How the file came out.
    package struct Outcome: Sendable, Equatable {
        /// Pictures within.
        package let pictures: Int
        /// Flagged frames without a picture.
        package let leftOut: Int
        /// Bytes.
        package let size: Int
    }

    private let review: RunReview
    private let ledger: FrameLedger
    private let tree: OutputTree
    private let options: Options

    /// Looks at a run; `nil` where the ledger has no frame of it.
    package init?(
        run: String,
        ledger: FrameLedger,
        tree: OutputTree,
        options: Options = Options()
    ) throws(LedgerError) {
        guard let review = try RunReview(run, ledger: ledger, format: options.plate) else { return nil }
        self.review = review
        self.ledger = ledger
        self.tree = tree
        self.options = options
    }

    /// Writes the file, which replaces what was there.
    package func write(to path: String) throws -> Outcome {
        var text = ReviewText(review: review, audit: options.audit, lenses: options.lenses)
        var gallery = ReviewGallery(budget: options.largestSize - text.size, width: options.pictureWidth) {
            frame in
            try ledger.records(of: frame).last { $0.state != .skipped }
                .map { FrameFiles(tree: tree, record: $0) }
        }
        let ends = try [
            ("Most surely faulty", review.surestFaulty), ("Least surely faulty", review.leastSureFaulty),
            ("Nearly flagged", review.leastSureNormal), ("Most surely normal", review.surestNormal),
        ].map { (title: $0, figures: try gallery.figures(of: $1.map(\.frame))) }
        let flagged = try flaggedFrames()
        let figures = try gallery.figures(of: flagged)
        text.add(ends: ends)
        text.add(gallery: figures, leftOut: flagged.count - figures.count)
        let data = Data(text.finished.utf8)
        try data.write(to: URL(filePath: path), options: .atomic)
        return Outcome(pictures: gallery.count, leftOut: flagged.count - figures.count, size: data.count)
    }

    /// Flagged frames in the order that they are shown in: of each well the worst first, wells in turn, so that every well has
    /// its picture before any has many.
    private func flaggedFrames() throws -> [FrameID] {
        let perWell = try review.wells.filter { $0.flagged > 0 }.map { well in
            var selection = FrameLedger.Selection(limit: Self.mostOfWell)
            selection.flaggedOnly = true
            return try ledger.records(of: well.well, run: review.run, selection)
                .sorted { ($0.judgement?.severity ?? 0) > ($1.judgement?.severity ?? 0) }.compactMap(\.frame)
        }
        let longest = perWell.map(\.count).max() ?? 0
        return (0..<longest).flatMap { index in
            perWell.compactMap { $0.indices.contains(index) ? $0[index] : nil }
        }
    }

    /// Flagged frames of a well that are looked at, at most.
    private static let mostOfWell = 200
}
