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
        /// Largest page, in bytes; pictures that do not fit are left out and counted.
        package var largestSize = 5_000_000
        /// Which frames can be used.
        package var rule = UsableFrames.Rule()
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
        /// Episodes of flagged frames without a picture.
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
                format: options.plate,
                rule: options.rule
            )
        else { return nil }
        self.review = review
        self.ledger = ledger
        self.tree = tree
        self.options = options
    }

    /// The page as HTML, and what it holds.
    package func html() throws -> (text: String, outcome: Outcome) {
        let times = RunTimes(review.written)
        let episodes = try review.episodes(ledger)
        var text = ReviewText(
            review: review,
            audit: options.audit,
            lenses: options.lenses,
            events: EventSection(review: review, times: times).html
        )
        let lists =
            DecisionSection(review: review, times: times).html
            + FlaggedTable(review: review, times: times).html(episodes)
        var gallery = ReviewGallery(
            budget: options.largestSize - text.size - lists.utf8.count,
            width: Self.pictureWidth,
            tree: tree,
            times: times,
            reviews: review.reviews
        )
        let figures = try gallery.figures(of: episodes)
        text.add(Self.section(figures, leftOut: episodes.count - gallery.count) + lists)
        let page = text.finished
        let outcome = Outcome(
            pictures: gallery.count,
            leftOut: episodes.count - gallery.count,
            size: page.utf8.count
        )
        return (page, outcome)
    }

    private static func section(_ figures: [String], leftOut: Int) -> String {
        guard !figures.isEmpty else { return "<section><h2>Flagged frames</h2><p>None.</p></section>\n" }
        let lacking = """
            <p>\(leftOut) have no picture: the file has a limit (<code>--megabytes</code>), or their frames' files are gone.</p>
            """
        return """
            <section><h2>Flagged frames</h2><p class="legend">Of flagged frames that follow one another, the worst. The line is the \
            outline of its mask.</p><div class="gallery">\(figures.joined())</div>\(leftOut > 0 ? lacking : "")</section>

            """
    }

    /// Wide enough to see a bubble, fibre or cell in.
    private static let pictureWidth = 480
}

/// Pictures of frames with the outlines of their masks, as HTML, until a budget of bytes is used up.
struct ReviewGallery {
    private(set) var budget: Int
    let width: Int
    let tree: OutputTree
    let times: RunTimes
    let reviews: Reviews
    private(set) var count = 0

    /// A figure for each episode, in their order; without a picture where the budget does not last.
    ///
    /// Of each well the worst episode has its picture before any well has a second one.
    mutating func figures(of episodes: [RunReview.Episode]) throws -> [String] {
        let worstFirst = episodes.indices.sorted { episodes[$0].worst.excess > episodes[$1].worst.excess }
        var turns: [Well: [Int]] = [:]
        for index in worstFirst { turns[episodes[index].well, default: []].append(index) }
        let most = turns.values.map(\.count).max() ?? 0
        var pictures: [Int: String] = [:]
        for turn in 0..<most {
            for index in worstFirst where turns[episodes[index].well]?.dropFirst(turn).first == index {
                guard budget > 0 else { break }
                let files = FrameFiles(tree: tree, record: episodes[index].worst)
                guard let picture = try picture(of: files) else { continue }
                budget -= picture.utf8.count
                if budget > 0 { pictures[index] = picture }
            }
        }
        count = pictures.count
        return episodes.indices.map { figure(of: episodes[$0], pictures[$0] ?? "") }
    }

    private func figure(of episode: RunReview.Episode, _ picture: String) -> String {
        let (judgement, frames) = (episode.worst.judgement, episode.frames)
        let indices = frames.compactMap { $0.frame?.index }
        let span = WellTable.words(indices.first ?? 0, indices.last ?? 0)
        let written = [frames.first, frames.last].compactMap { $0?.written }.map(times.text)
        let names = [episode.well.description, episode.view.words].filter { !$0.isEmpty }
        let cause = judgement?.causeName.map { $0 == "unknown" ? "cause unknown" : $0 } ?? ""
        let why = judgement?.explanation(words: PlateReader.words) ?? ""
        let worst = episode.worst.frame.map { "f\($0.index): " } ?? ""
        let key = episode.worst.source.key
        let said = episode.worst.frame.map { reviews.on($0, file: key, isFlagged: true) } ?? []
        let words = said.isEmpty ? "" : "<br>" + HTMLText.escaped(said.map(\.words).joined(separator: "; "))
        let caption = [
            "\(frames.count) flagged, frames \(span)",
            written.first == written.last ? written.first ?? "" : written.joined(separator: " to "),
            cause,
        ].filter { !$0.isEmpty }.joined(separator: " · ")
        return """
            <figure>\(picture)<figcaption><b>\(HTMLText.escaped(names.joined(separator: " ")))</b> \
            \(HTMLText.escaped(caption))<br>\(HTMLText.escaped(worst + why))\(words)</figcaption></figure>

            """
    }

    /// `nil` where the frame's file is gone.
    private func picture(of files: FrameFiles) throws -> String? {
        guard let frame = files.readFrame() else { return nil }
        let png = Data(try Picture.grey(frame, width: width, levels: Self.levels)).base64EncodedString()
        let outline = files.readMask().map { Self.outline($0) } ?? ""
        return """
            <svg viewBox="0 0 \(frame.width) \(frame.height)" role="img" \
            aria-label="Frame of well \(files.record.frame?.well.description ?? "")">\
            <image width="\(frame.width)" height="\(frame.height)" href="data:image/png;base64,\(png)"/>\(outline)</svg>
            """
    }

    /// Grey levels of a picture: noise between finer ones would be most of the file.
    private static let levels = 64

    /// Regions in a drawing; a mask of noise must not make a huge file.
    private static func outline(_ mask: Mask) -> String {
        let rings = MaskOutline(mask, limit: 60).regions.flatMap(\.rings)
        let path = rings.map { ring in "M" + ring.map { "\($0.x) \($0.y)" }.joined(separator: "L") + "Z" }
            .joined()
        return path.isEmpty ? "" : "<path d=\"\(path)\"/>"
    }
}
