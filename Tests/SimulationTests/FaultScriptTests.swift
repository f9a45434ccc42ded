import Faults
import Foundation
import Plate
import TestSupport
import Testing

@testable import Simulation

struct FaultScriptTests {
    private func script(_ text: String) throws -> FaultScript {
        var reader = FaultScriptReader(path: "faults.yaml")
        return try reader.script(text)
    }

    private func message(_ text: String) -> String {
        do {
            _ = try script(text).faults(PlateSettings(wells: 8))
            return "no error"
        } catch { return "\(error)" }
    }

    @Test func theDocumentedExampleIsUnderstood() throws {
        let path = packageRoot.appending(path: "examples/faults.yaml").path
        let script = try FaultScript.load(path: path)
        let faults = try script.faults(PlateSettings(wells: 8, interval: 8))
        #expect(Set(script.entries.map(\.kind)) == Set(FaultKind.allCases), "each class is shown")
        let wells = try ["A2", "A3"].map { try #require(Well($0)) }
        let bubble = try #require(faults[wells[0]]?.first)
        #expect(bubble.form == .darkBubble)
        #expect(bubble.isActive(at: 3) && bubble.isActive(at: 6))
        #expect(!bubble.isActive(at: 2) && !bubble.isActive(at: 7))
        let shift = try #require(faults[wells[1]]?.first)
        #expect(shift.onset == 5, "40 s are five frames of 8 s")
        #expect(shift.end == nil && shift.strength == 1)
    }

    @Test func aFaultWithoutAFormLooksDifferentFromWellToWellAndTheSameEachTime() throws {
        let script = try script("faults: [{kind: contamination, wells: all, strength: 0.5}]")
        let settings = PlateSettings(wells: 64)
        let faults = try script.faults(settings)
        #expect(faults.count == 64)
        #expect(Set(faults.values.flatMap { $0.map(\.form) }).count > 1)
        #expect(faults.values.allSatisfy { $0.allSatisfy { $0.kind == .contamination } })
        #expect(Set(faults.values.flatMap { $0.map(\.seed) }).count == 64)
        #expect(try script.faults(settings) == faults)
    }

    @Test func mistakesAreNamedWithLineKeyAndRemedy() {
        let good = "kind: z-shift, wells: [B1], strength: 1"
        let cases: [(text: String, words: [String])] = [
            ("faults:\n- {\(good), strengt: 1}", ["faults.yaml:2", "faults[1].strengt", "`strength`"]),
            ("fault: []", ["faults.yaml:1", "fault:", "`faults`"]),
            ("faults:\n- {\(good)}\n- {wells: [B1], strength: 1}", ["yaml:3", "faults[2].kind", "missing"]),
            ("faults:\n- {kind: bubble, wells: [B1], strength: 1}", ["faults[1].kind", "air-bubble"]),
            ("faults:\n- {\(good), form: dust}", ["faults[1].form", "\"dust\"", "defocus"]),
            ("faults:\n- {kind: z-shift, wells: [B1], strength: 1.5}", ["strength", "1.5", "0 to 1"]),
            ("faults:\n- {kind: z-shift, wells: [B1], shift: -3}", ["faults[1].shift", "0 to 200"]),
            ("faults:\n- {kind: air-bubble, wells: [B1], shift: 15}", ["faults[1].shift", "z-shift only"]),
            ("faults:\n- {kind: z-shift, wells: B1, strength: 1}", ["faults[1].wells", "list of wells"]),
            ("faults:\n- {kind: z-shift, wells: [B1, B1], strength: 1}", ["faults[1].wells"]),
            ("faults:\n- {\(good), onset: soon}", ["faults[1].onset", "soon", "80s"]),
            ("faults:\n- {\(good), onset: -1}", ["faults[1].onset"]),
            ("faults:\n- {\(good), onset: 9, end: 9}", ["faults.yaml:2", "faults[1].end", "frame 9"]),
            ("faults:\n- {kind: z-shift, wells: [P24], strength: 1}", ["faults[1].wells", "P24", "8 wells"]),
            ("faults: 3", ["faults", "list"]), ("- a", ["keys are expected"]), ("faults: [", ["no YAML"]),
        ]
        for (text, words) in cases {
            let message = message(text)
            for word in words { #expect(message.contains(word), "\(text): \(message)") }
        }
    }

    @Test func allMistakesOfAScriptAreNamedAtOnce() {
        let text = """
            faults:
            - {kind: z-shift, wells: [B1], strengt: 1}
            - {kind: bubble, wells: [B1], strength: 1}
            - {kind: z-shift, wells: B1, strength: 7}
            """
        let lines = message(text).split(separator: "\n")
        let expected = [
            ("faults.yaml:2: faults[1].strengt", "`strength`"),
            ("faults.yaml:3: faults[2].kind", "air-bubble"),
            ("faults.yaml:4: faults[3].strength", "0 to 1"),
            ("faults.yaml:4: faults[3].wells", "list of wells"),
        ]
        for (place, hint) in expected {
            #expect(lines.contains { $0.hasPrefix(place) && $0.contains(hint) }, "\(place): \(lines)")
        }
        #expect(lines.count == expected.count, "what follows from a mistake is none of its own: \(lines)")
    }

    @Test func nothingMeansNoFaults() throws {
        #expect(try script("").entries.isEmpty)
        #expect(try script("faults: []").entries.isEmpty)
    }

    @Test func withoutAScriptAFullPlateShowsEveryFormAndMostlyNormalWells() throws {
        let settings = PlateSettings(wells: 64, frames: 40)
        let faults = try FaultScript.standard(settings).faults(settings)
        #expect(Set(faults.values.flatMap { $0.map(\.form) }) == Set(FaultForm.allCases))
        #expect(faults.count <= 16)
        for count in [1, 2, 3, 7, 384] {
            let settings = PlateSettings(wells: count, frames: 1)
            #expect(try !FaultScript.standard(settings).faults(settings).isEmpty)
        }
    }
}
