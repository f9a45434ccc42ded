import Plate
import Testing

struct JudgementTests {
    private static let terms = [("level", 0.5), ("tiles_top", 5.5)].map {
        SeverityContribution(term: $0.0, value: $0.1)
    }

    private static func judgement(
        severity: Double = 9.12,
        threshold: Double = 3.58,
        cause: Cause = .unknown,
        terms: [SeverityContribution] = terms,
        box: PixelRectangle? = nil,
        size: (width: Int, height: Int)? = (1280, 800)
    ) -> Judgement {
        Judgement(
            verdict: Verdict(severity: severity, threshold: threshold),
            severity: severity,
            threshold: threshold,
            terms: terms,
            scores: nil,
            score: 0.2,
            cause: ProbableCause(cause, confidence: 0.9),
            area: 0.1,
            boundingBox: box,
            width: size?.width,
            height: size?.height
        )
    }

    @Test func aFrameThatPassesAboveTheLowerLimitIsSuspect() {
        func isSuspect(_ severity: Double, limit: Double?) -> Bool {
            Judgement(
                verdict: Verdict(severity: severity, threshold: 3),
                severity: severity,
                threshold: 3,
                suspectLimit: limit,
                scores: nil,
                score: 0,
                area: 0,
                boundingBox: nil
            ).isSuspect
        }
        #expect(isSuspect(2.5, limit: 2))
        #expect(!isSuspect(2, limit: 2))
        #expect(!isSuspect(3.5, limit: 2), "it is faulty")
        #expect(!isSuspect(2.5, limit: nil))
    }

    @Test(arguments: [
        (PixelRectangle(x: 10, y: 100, width: 300, height: 600), "in the left third"),
        (PixelRectangle(x: 600, y: 300, width: 60, height: 60), "in the middle"),
        (PixelRectangle(x: 1200, y: 790, width: 10, height: 10), "in the lower right"),
        (PixelRectangle(x: 600, y: 0, width: 100, height: 100), "in the upper middle"),
        (PixelRectangle(x: 0, y: 0, width: 1280, height: 90), "in the upper third"),
        (PixelRectangle(x: 0, y: 380, width: 1280, height: 40), "across the middle"),
        (PixelRectangle(x: 2, y: 1, width: 1200, height: 700), "over the whole frame"),
        (PixelRectangle(x: .max, y: .min, width: .max, height: .max), "over the whole frame"),
    ])
    func theExplanationSaysWhere(box: PixelRectangle, place: String) {
        let judgement = Self.judgement(box: box)
        #expect(
            judgement.explanation { "many \($0) that look like a known fault" }
                == "severity 9.1 (limit 3.6): mostly many tiles_top that look like a known fault, \(place)"
        )
        #expect(Self.judgement(cause: .zShift, box: box).explanation().hasSuffix(", over the whole frame"))
        #expect(Self.judgement(box: box, size: nil).explanation().hasSuffix("mostly tiles_top"))
        #expect(Self.judgement(box: box, size: (0, 0)).explanation().hasSuffix("mostly tiles_top"))
    }

    @Test func theExplanationSaysWhatIsKnown() {
        #expect(Self.judgement(terms: []).explanation() == "severity 9.1 (limit 3.6)")
        #expect(Self.judgement(severity: 0.4).explanation() == "severity 0.4 (limit 3.6)")
        #expect(
            Self.judgement(severity: 0.4).frozen.explanation()
                == "severity 0.4 (limit 3.6): the same image again and again"
        )
        // Figures that would look the same get more digits.
        #expect(
            Self.judgement(severity: 3.601, threshold: 3.6).explanation()
                == "severity 3.601 (limit 3.600): mostly tiles_top"
        )
        #expect(Self.judgement(severity: 12_345.67, terms: []).explanation() == "severity 12346 (limit 3.6)")
        #expect(
            Self.judgement(severity: .infinity, terms: []).explanation() == "severity inf (limit 3.6)"
        )
        #expect(Self.judgement(severity: .nan).explanation() == "severity nan (limit 3.6)")
    }

    @Test(arguments: [
        (0, 1, "0.0"), (-0.04, 1, "0.0"), (-0.05, 1, "-0.1"), (9.95, 1, "10.0"), (0.05, 2, "0.05"),
        (1234.5, 0, "1235"),
        (1e12, 2, "1000000000000.0"), (.nan, 1, "nan"), (-2.5, 9, "-2.5"), (3.0004, 3, "3.000"),
    ])
    func fixedHasAsManyDigits(value: Double, digits: Int, text: String) {
        #expect(value.fixed(digits) == text)
    }

    @Test func aSourceIsAPageOfAFile() {
        let source = FrameSource(root: "/in", path: "a/b.tif", page: 2)
        #expect(source.absolutePath == "/in/a/b.tif" && source.page(0).place.path.text == "a/b.tif")
        #expect(FrameSource(root: "/", path: "b.tif").absolutePath == "/b.tif")
        #expect(FrameSource(root: "", path: "/odd/name").absolutePath == "/odd/name")
        let identity = FileIdentity(inode: 2, size: 3, modified: Timestamp(nanoseconds: 4))
        let judged = FrameSource(root: "/in", path: "a/b.tif", page: 2, identity: identity)
        #expect(judged != source && judged.place == source.place)
    }
}
