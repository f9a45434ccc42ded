import Plate
import Reporting
import Testing

struct AlarmLineTests {
    @Test func isTheContractsLine() throws {
        let alarm = try Sample.fault(run: "01", frame: 100)
        #expect(
            AlarmLine.format(alarm)
                == "time=2026-11-22T10:00:01.123Z event=FAULT run=01 well=B01 frame=100 severity=4.2 threshold=3 "
                + "score=0.213 cause=air-bubble area=0.056 bbox=1180,515,100,285 "
                + "mask=masks/01_B1_f100.mask.tiff model=3f9ac2 latency_ms=143"
        )
    }

    @Test func aLineOfFramesThatPassHasNoCause() throws {
        let clear = try Sample.fault(frame: 100, event: .clear)
        let line = AlarmLine.format(clear)
        #expect(line.contains(" severity=4.2 threshold=3 score=0.213 "))
        for key in ["cause=", "confidence=", "area=", "bbox="] { #expect(!line.contains(key), "\(key)") }
        #expect(AlarmLine.parse(line)?.judgement?.severity == 4.2)
    }

    @Test func namesItsTierWhereItIsNotFull() throws {
        let alarm = try Sample.fault(frame: 100, tier: .deferred)
        #expect(AlarmLine.format(alarm).contains("mask=masks/01_B1_f100.mask.tiff tier=deferred model="))
        #expect(AlarmLine.parse(AlarmLine.format(alarm)) == alarm)
    }

    @Test func namesTheLargestTermOfASeverityAboveTheThreshold() throws {
        let terms = [("level", 1.5), ("tiles_top", 2.75), ("window", -0.1)].map {
            SeverityContribution(term: $0.0, value: $0.1)
        }
        let alarm = try Sample.fault(frame: 100, confidence: 0.87654, terms: terms)
        let line = AlarmLine.format(alarm)
        #expect(line.contains(" cause=air-bubble confidence=0.8765 term=tiles_top area=0.056 "))
        // The reader leaves the term to the ledger, which has its value.
        let read = try #require(AlarmLine.parse(line)?.judgement)
        #expect(read.terms.isEmpty && read.verdict == .faulty && read.confidence == 0.8765)
        var below = Judgement(
            verdict: .normal,
            severity: 2.9,
            threshold: 3,
            terms: terms,
            scores: nil,
            score: 0.1,
            area: 0,
            boundingBox: nil
        )
        // A camera that is stuck makes a frame faulty whose severity is not above the threshold.
        for judgement in [below, below.frozen] {
            let drift = Alarm(
                time: alarm.time,
                event: .drift,
                frame: alarm.frame,
                model: alarm.model,
                judgement: judgement,
                reason: "why",
                latencyMilliseconds: nil
            )
            #expect(!AlarmLine.format(drift).contains("term="))
        }
        below.cause = ProbableCause(.blank, confidence: 1)
        #expect(below.causeName == nil && below.term == nil)
    }

    @Test func anOnsetByEvidenceSaysThatItsFramePasses() throws {
        let fault = try Sample.fault(frame: 7)
        let judgement = Judgement(
            verdict: .normal,
            severity: 2.5,
            threshold: 3,
            scores: nil,
            score: 0.1,
            area: 0,
            boundingBox: nil
        )
        let alarm = Alarm(
            time: fault.time,
            event: .onset,
            frame: fault.frame,
            model: fault.model,
            judgement: judgement,
            beginning: Alarm.Beginning(firstFaulty: 5, lastGood: 4),
            reason: "weak but lasting"
        )
        let line = AlarmLine.format(alarm)
        #expect(line.contains(" area=0 verdict=normal first_faulty=5 last_good=4 "))
        #expect(AlarmLine.parse(line) == alarm)
    }

    @Test(arguments: Alarm.Event.allCases)
    func comesBack(event: Alarm.Event) throws {
        let fault = try Sample.fault(run: "01", frame: 7)
        let passes = Judgement(
            verdict: .normal,
            severity: 1.8,
            threshold: 3,
            scores: nil,
            score: 0.1,
            area: 0,
            boundingBox: nil
        )
        let alarm = Alarm(
            time: fault.time,
            event: event,
            frame: fault.frame,
            model: "a b",
            judgement: event == .fault || event == .onset ? fault.judgement : passes,
            reason: "why not",
            latencyMilliseconds: nil
        )
        #expect(AlarmLine.parse(AlarmLine.format(alarm)) == alarm)
    }

    @Test(arguments: [
        "01 well=A01", "01\ntime=2026-11-22T10:00:01.123Z event=CLEAR", "01\" event=CLEAR x=\"", "a\\\" b",
        "", " ",
        "\u{1b}[2K", "\u{2028}event=FAULT", "\u{202e}10", "\u{85}", "a=b", "ä µ 中 🔬", "\\n", "\r\nx", "\u{0}",
    ])
    func noNameForgesALineOrAField(name: String) throws {
        let alarm = try Sample.fault(run: name, frame: 1, mask: "masks/\(name).tiff", reason: name)
        let line = AlarmLine.format(alarm)
        #expect(AlarmLine.parse(line) == alarm)
        #expect(line.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
        #expect(!line.contains("\u{2028}") && !line.contains("\u{202e}"))
        #expect(line.split { $0.isNewline }.count == 1)
        #expect(Logfmt.fields(of: line)?["event"] == "FAULT")
    }

    @Test func longValuesAreCut() throws {
        let alarm = try Sample.fault(run: "01", frame: 1, reason: String(repeating: "\u{1}", count: 100_000))
        #expect(AlarmLine.format(alarm).utf8.count < 6000)
        #expect(AlarmLine.parse(AlarmLine.format(alarm))?.reason?.count == Logfmt.longestValue + 3)
    }

    @Test(arguments: [
        "", "time=2026", "hello world", "event=FAULT", "=1", "a=\"", "a=\"x\"y=1", "a=\"\\q\"", "a=1 a=2",
        "a=1  b=2",
        "time=2026-11-22T10:00:01.123Z event=NONE run=01 well=B01 frame=100 model=1",
        "time=2026-11-22T10:00:01.123Z event=FAULT run=01 well=B99 frame=100 model=1",
        "time=2026-13-22T10:00:01.123Z event=FAULT run=01 well=B01 frame=100 model=1",
    ])
    func refusesWhatIsNoAlarm(line: String) {
        #expect(AlarmLine.parse(line) == nil)
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00.000Z", 0), ("2000-02-29T23:59:59.999Z", 951_868_799_999),
        ("2026-11-22T10:00:01.123Z", 1_795_341_601_123), ("2100-03-01T00:00:00.000Z", 4_107_542_400_000),
    ])
    func timesAreUTC(text: String, milliseconds: Int64) {
        let time = Timestamp(nanoseconds: milliseconds * 1_000_000)
        #expect(time.iso8601 == text)
        #expect(Timestamp(iso8601: text) == time)
        #expect(Timestamp(nanoseconds: -1).iso8601 == "1969-12-31T23:59:59.999Z")
    }
}
