import Plate
import Randomness
import Rules
import Testing

/// Faults too weak for single frames, and wells without any.
struct EvidenceTests {
    /// A well that varies by itself: each figure keeps most of its deviation from one frame to the next, as cells move slowly.
    private struct Well {
        var random: SplitMix64
        private var terms: [Double]
        private var look: [Double]
        /// How much of a deviation the next frame keeps.
        private let memory = 0.7

        init(seed: UInt64) {
            random = SplitMix64(state: seed)
            terms = (0..<6).map { _ in 0 }
            look = (0..<4).map { _ in 0 }
        }

        /// The next frame; `rise` is added to half of the terms, `shift` to the look.
        mutating func next(rise: Double = 0, shift: Double = 0) -> Judgement {
            for index in terms.indices { terms[index] = moved(terms[index], by: 0.3) }
            for index in look.indices { look[index] = moved(look[index], by: 0.02) }
            let values = terms.enumerated().map { $0 < 3 ? $1 + rise : $1 }
            return EvidenceTests.frame(terms: values, look: look.map { Float($0 + shift) })
        }

        private mutating func moved(_ value: Double, by spread: Double) -> Double {
            memory * value + (1 - memory * memory).squareRoot() * spread * Double(random.nextGaussian())
        }
    }

    private static func frame(
        terms: [Double],
        look: [Float],
        severity: Double = 1,
        threshold: Double = 4,
        verdict: Verdict? = nil
    ) -> Judgement {
        Judgement(
            verdict: verdict ?? Verdict(severity: severity, threshold: threshold),
            severity: severity,
            threshold: threshold,
            suspectLimit: threshold - 1,
            terms: terms.enumerated().map { .init(term: "term-\($0)", value: $1) },
            scores: nil,
            score: 0.1,
            area: 0,
            boundingBox: nil,
            appearance: look
        )
    }

    /// Frames of a well with a weak fault from one frame on, to another.
    private func frames(
        _ count: Int,
        seed: UInt64,
        weak: Range<Int> = 0..<0,
        rise: Double = 0,
        shift: Double = 0
    ) -> [Judgement] {
        var well = Well(seed: seed)
        return (0..<count).map { weak.contains($0) ? well.next(rise: rise, shift: shift) : well.next() }
    }

    private func onsets(_ events: [String]) -> [Int] {
        events.filter { $0.hasPrefix("ONSET") }.compactMap { Int($0.split(separator: " ")[1]) }
    }

    @Test(arguments: [1, 4, 7, 33, 64])
    func evidenceThatGathersSlowlyNamesTheSameFramesInBatchesOfAnySize(batch: Int) {
        // Each weak frame adds a little: some fifty of them make an onset.
        let calm = (0..<30).map { _ in Self.frame(terms: [0, 0], look: [0]) }
        let weak = (0..<60).map { _ in Self.frame(terms: [0.997, 0.997], look: [0]) }
        let events = KeptWell.told(calm + weak, batch: batch)
        #expect(
            events == [
                "ONSET 81 30 29 weak but lasting: 52 frames in a row are unlike the well's frames before them"
            ]
        )
    }

    @Test(arguments: [(3.0, 0.0), (0, 0.12)]) func aWeakFaultThatStaysIsAnOnsetWithinFiveFrames(
        rise: Double,
        shift: Double
    ) {
        let found = (UInt64(1)...40).count { seed in
            let frames = frames(40, seed: seed, weak: 20..<40, rise: rise, shift: shift)
            return onsets(KeptWell.told(frames)).first.map { (20..<25).contains($0) } ?? false
        }
        #expect(found >= 38)
    }

    @Test func theOnsetSaysWhereTheEvidenceBegan() throws {
        let frames = frames(40, seed: 3, weak: 20..<40, rise: 6)
        let event = try #require(KeptWell.told(frames).first { $0.hasPrefix("ONSET") })
        #expect(
            event
                == "ONSET 22 20 19 weak but lasting: 3 frames in a row are unlike the well's frames before them"
        )
    }

    @Test(arguments: [1, 2]) func oneOddFrameOrTwoAreNone(_ count: Int) {
        for seed in 1...40 {
            let frames = frames(60, seed: UInt64(seed), weak: 30..<30 + count, rise: 60, shift: 3)
            #expect(onsets(KeptWell.told(frames)).isEmpty)
        }
    }

    @Test func aFaultThatGoesIsCleared() throws {
        let events = KeptWell.told(frames(80, seed: 5, weak: 20..<40, rise: 6))
        #expect(events.map { $0.prefix(5) } == ["ONSET", "CLEAR"])
        let clear = try #require(events.last?.split(separator: " ").last.flatMap { Int($0) })
        #expect((42...50).contains(clear))
    }

    @Test func whatLastsIsHowTheWellIs() throws {
        let events = KeptWell.told(frames(200, seed: 6, weak: 20..<200, shift: 0.5))
        #expect(events.map { $0.prefix(5) } == ["SHIFT", "ONSET", "CLEAR"])
    }

    /// Ten plates of 64 wells for an hour.
    @Test func wellsThatVaryByThemselvesGiveAtMostOneOnsetInTenPlates() {
        var onsets = 0
        for seed in UInt64(1)...640 {
            var well = Well(seed: seed)
            var sequence = WellSequence(.init(), settings: .init())
            for index in 0..<450 {
                if case .onset = sequence.add(well.next(), index: index).event { onsets += 1 }
            }
        }
        #expect(onsets <= 1)
    }

    @Test(arguments: [2, 3, 7, 64]) func aRestartAnywhereTellsTheSame(_ batch: Int) {
        for seed in UInt64(1)...10 {
            let frames =
                frames(120, seed: seed, weak: 30..<50, rise: 3) + [
                    Self.frame(terms: [], look: [], severity: 9)
                ]
                + frames(100, seed: seed, weak: 20..<100, shift: 0.4)
            #expect(KeptWell.told(frames, batch: batch) == KeptWell.told(frames))
        }
    }

    /// A frame that a model with a budget of one false alarm in 100 calls faulty, and one with 1 in 1000 does not.
    private func uncertain(_ terms: Double = 0) -> Judgement {
        Self.frame(terms: [terms, terms], look: [0], severity: 2.5, threshold: 2)
    }

    @Test func aWellThatAlwaysLooksALittleUnusualIsNoOnset() {
        let always = [Judgement](repeating: uncertain(), count: 100)
        #expect(KeptWell.told(always).isEmpty)
        #expect(KeptWell.told(always, settings: .init(evidence: false)) == ["ONSET 1 0 none"])
        let now = [0, 0, 3, 0, 3, 3, 0].map {
            Self.frame(terms: [0, 0], look: [0], severity: $0 == 0 ? 1 : 2.5, threshold: 2)
        }
        #expect(KeptWell.told((0..<10).flatMap { _ in now }).isEmpty)
    }

    @Test(arguments: [1, 3, 64]) func aWellThatTurnsALittleUnusualIsOneWithinFiveFrames(_ batch: Int) {
        let calm = (0..<20).map { _ in Self.frame(terms: [0, 0], look: [0], threshold: 2) }
        let events = KeptWell.told(calm + [Judgement](repeating: uncertain(3), count: 20), batch: batch)
        #expect(
            events == [
                "ONSET 22 20 19 weak but lasting: 3 frames in a row are unlike the well's frames before them"
            ]
        )
    }

    @Test(arguments: [1, 2, 64]) func certainAndFrozenFramesNeedNoPast(_ batch: Int) {
        let certain = Self.frame(terms: [0, 0], look: [0], severity: 3.4, threshold: 2)
        let frozen = Self.frame(terms: [0, 0], look: [0], verdict: .faulty)
        for frame in [certain, frozen] {
            let events = KeptWell.told(
                [frame, uncertain(), frame, uncertain(), uncertain(), uncertain()],
                batch: batch
            )
            #expect(events == ["ONSET 2 0 none"])
        }
    }

    @Test func withoutAPastOrWhereItIsOffThereIsNone() {
        #expect(onsets(KeptWell.told(frames(12, seed: 1, weak: 6..<12, rise: 9))).isEmpty)
        let frames = frames(40, seed: 1, weak: 20..<40, rise: 9)
        #expect(KeptWell.told(frames, settings: .init(evidence: false)).isEmpty)
        var sequence = WellSequence(.init(), settings: .init(evidence: false))
        #expect(frames.allSatisfy { sequence.add($0, index: 0).evidence == nil })
    }
}
