import Foundation
import Frames
import Ledger
import Plate
import Reporting

/// Pictures of frames with the outlines of their masks, as HTML, until a budget of bytes is used up.
struct ReviewGallery {
    private var budget: Int
    private let width: Int
    private let files: (FrameID) throws -> FrameFiles?
    /// Pictures made.
    private(set) var count = 0

    init(budget: Int, width: Int, files: @escaping (FrameID) throws -> FrameFiles?) {
        self.budget = budget
        self.width = width
        self.files = files
    }

    /// Figures of frames in this order; those that do not fit any more are left out.
    mutating func figures(of frames: [FrameID]) throws -> [String] {
        var figures: [String] = []
        for frame in frames {
            guard budget > 0, let files = try files(frame) else { break }
            let figure = try figure(of: frame, files)
            budget -= figure.utf8.count
            guard budget > 0 else { break }
            count += 1
            figures.append(figure)
        }
        return figures
    }

    private func figure(of frame: FrameID, _ files: FrameFiles) throws -> String {
        let judgement = files.record.judgement
        let isFaulty = judgement?.verdict == .faulty
        let cause = judgement?.causeName.map { $0 == "unknown" ? "cause unknown" : $0 }
        let caption = [judgement?.explanation(words: PlateReader.words), cause].compactMap(\.self)
            .joined(separator: "; ")
        return """
            <figure class="\(isFaulty ? "bad" : "")">\(try picture(of: files))\
            <figcaption><b>\(frame.well) f\(frame.index)</b> \(HTMLText.escaped(caption))</figcaption></figure>

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
