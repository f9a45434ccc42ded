import Files
import Foundation
import Frames
package import Ledger
import Plate
package import Reporting
package import Rules

/// A run as one HTML file to keep or mail: no script, nothing from outside, pictures within.
package struct ReviewPage {
    /// What it is made of.
    package struct Options: Sendable {
        /// Largest file, in bytes; pictures that do not fit are left out and counted.
        package var largestSize = 20 << 20
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
    ) throws {
        guard
            let review = try RunReview(
                run,
                ledger: ledger,
                decisions: DecisionLog(tree).decisions(run: run),
                format: options.plate
            )
        else { return nil }
        self.review = review
        self.ledger = ledger
        self.tree = tree
        self.options = options
    }

    /// Writes the file, which replaces what was there.
    package func write(to path: String) throws -> Outcome {
        var text = ReviewText(review: review, audit: options.audit, lenses: options.lenses)
        var gallery = ReviewGallery(
            budget: options.largestSize - text.size,
            width: Self.pictureWidth,
            tree: tree
        )
        let ends = try [
            ("Most surely faulty", review.surestFaulty), ("Least surely faulty", review.leastSureFaulty),
            ("Nearly flagged", review.leastSureNormal), ("Most surely normal", review.surestNormal),
        ].map { title, frames in
            let records = try frames.compactMap { try ledger.record(sequence: $0.sequence) }
            return (title: title, figures: try gallery.figures(of: records))
        }
        let flagged = try flaggedFrames()
        let figures = try gallery.figures(of: flagged)
        text.add(ends: ends)
        text.add(gallery: figures, leftOut: flagged.count - figures.count)
        let page = text.finished
        try OutputFile.write(text: page, to: path)
        return Outcome(pictures: gallery.count, leftOut: flagged.count - figures.count, size: page.utf8.count)
    }

    /// Flagged frames in the order in which they are shown: of each well the worst first, one well after another, so that every
    /// well has its picture before any has many.
    private func flaggedFrames() throws -> [FrameRecord] {
        let perWell = try review.wells.filter { $0.flagged > 0 }.map { well in
            let selection = FrameLedger.Selection(
                limit: Self.mostOfWell,
                view: well.view,
                flaggedOnly: true
            )
            return try ledger.records(of: well.well, run: review.run, selection)
                .sorted { ($0.judgement?.severity ?? 0) > ($1.judgement?.severity ?? 0) }
        }
        let longest = perWell.map(\.count).max() ?? 0
        return (0..<longest).flatMap { index in
            perWell.compactMap { $0.indices.contains(index) ? $0[index] : nil }
        }
    }

    private static let pictureWidth = 320
    /// Flagged frames of a well that are looked at, at most.
    private static let mostOfWell = 200
}

/// Pictures of frames with the outlines of their masks, as HTML, until a budget of bytes is used up.
struct ReviewGallery {
    var budget: Int
    let width: Int
    let tree: OutputTree
    private(set) var count = 0

    /// Figures of frames in this order; those that do not fit any more are left out.
    mutating func figures(of frames: [FrameRecord]) throws -> [String] {
        var figures: [String] = []
        for frame in frames {
            guard budget > 0 else { break }
            let figure = try figure(of: FrameFiles(tree: tree, record: frame))
            budget -= figure.utf8.count
            guard budget > 0 else { break }
            count += 1
            figures.append(figure)
        }
        return figures
    }

    private func figure(of files: FrameFiles) throws -> String {
        let judgement = files.record.judgement
        let isFaulty = judgement?.verdict == .faulty
        let cause = judgement?.causeName.map { $0 == "unknown" ? "cause unknown" : $0 }
        let frame = files.record.frame
        let name = [frame?.well.description, frame?.view.words, frame.map { "f\($0.index)" }]
            .compactMap(\.self).filter { !$0.isEmpty }.joined(separator: " ")
        let caption = [judgement?.explanation(words: PlateReader.words), cause].compactMap(\.self)
            .joined(separator: "; ")
        return """
            <figure class="\(isFaulty ? "bad" : "")">\(try picture(of: files))\
            <figcaption><b>\(HTMLText.escaped(name))</b> \(HTMLText.escaped(caption))</figcaption></figure>

            """
    }

    private func picture(of files: FrameFiles) throws -> String {
        guard let frame = files.readFrame() else { return "<p class=\"gone\">the frame's file is gone</p>" }
        let png = Data(try Picture.grey(frame, width: width)).base64EncodedString()
        let outline = files.readMask().map { Self.outline($0) } ?? ""
        return """
            <svg viewBox="0 0 \(frame.width) \(frame.height)" role="img" \
            aria-label="Frame of well \(files.record.frame?.well.description ?? "")">\
            <image width="\(frame.width)" height="\(frame.height)" href="data:image/png;base64,\(png)"/>\(outline)</svg>
            """
    }

    /// Regions in a drawing; a mask of noise must not make a huge file.
    private static func outline(_ mask: Mask) -> String {
        let rings = MaskOutline(mask, limit: 60).regions.flatMap(\.rings)
        let path = rings.map { ring in "M" + ring.map { "\($0.x) \($0.y)" }.joined(separator: "L") + "Z" }
            .joined()
        return path.isEmpty ? "" : "<path d=\"\(path)\"/>"
    }
}
