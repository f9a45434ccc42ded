import Faults
import Foundation
import Plate
import Randomness

/// The faults of a plate: which wells show them, and when.
///
/// **Format.** YAML with one key, `faults`, a list of
///
/// | key | value | default | meaning |
/// |---|---|---|---|
/// | `kind` | `air-bubble`, `artifact`, `z-shift`, `illumination`, `contamination` | required | published class |
/// | `form` | a `FaultForm` of the class | drawn for each well | what it looks like |
/// | `wells` | list of wells, or `all` | required | where |
/// | `onset` | frame, or time as `80s`, `2m` | 0 | first frame that shows it |
/// | `end` | frame or time after the onset | never | first frame that does not |
/// | `strength` | 0 to 1 | required | size and contrast |
/// | `shift` | 0 to 200 | follows from the strength | for a `z-shift`: um instead of a strength; the direction is drawn for each well |
///
/// Frames are counted from 0, times from the plate's start in the plate's time, whatever the speed. Unknown keys are
/// errors that name the nearest known one.
package struct FaultScript: Sendable, Equatable {
    enum Moment: Sendable, Equatable {
        /// A frame's position.
        case frame(Int)
        /// Time from the first frame, in s.
        case seconds(Double)

        func frame(interval: Double) -> Int {
            switch self {
            case .frame(let index): index
            case .seconds(let time): Int(saturating: (time / interval).rounded(.up))
            }
        }
    }

    struct Entry: Sendable, Equatable {
        let kind: FaultKind
        /// Its form; `nil` for one of the class's forms, drawn for each well.
        let form: FaultForm?
        /// Where; `nil` for all wells.
        let wells: [Well]?
        let onset: Moment
        /// First frame that does not show it any more; `nil` for a fault that stays.
        let end: Moment?
        let strength: Float
        /// Shift of the focus in um; `nil` where it follows from the strength.
        let shift: Float?
        /// Place in the file, for messages: `faults.yaml:7: faults[1]`.
        let place: String

        /// Describes a fault; a form of another class is a programmer's mistake.
        init(
            kind: FaultKind,
            form: FaultForm? = nil,
            wells: [Well]?,
            onset: Moment = .frame(0),
            end: Moment? = nil,
            strength: Float,
            shift: Float? = nil,
            place: String? = nil
        ) {
            precondition(form.map { $0.kind == kind } ?? true, "no form of \(kind)")
            (self.kind, self.form, self.wells, self.onset) = (kind, form, wells, onset)
            (self.end, self.strength, self.shift, self.place) = (end, strength, shift, place ?? kind.rawValue)
        }
    }

    let entries: [Entry]

    init(_ entries: [Entry]) { self.entries = entries }

    /// Reads a file; throws a sentence with file, line and key.
    package static func load(path: String) throws(SimulationError) -> FaultScript {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw SimulationError("\(path): cannot be read; check that it is there, readable, and UTF-8")
        }
        var reader = FaultScriptReader(path: path)
        return try reader.script(text)
    }

    /// Faults of all forms in every fourth well; half of them end before the plate does.
    package static func standard(_ settings: PlateSettings) -> FaultScript {
        let wells = ScanOrder.wells(settings.wells)
        // The first form of each class comes first, so that a small plate has one fault of each class.
        let forms = FaultForm.allCases.indices.flatMap { rank in
            FaultKind.allCases.compactMap { $0.forms.count > rank ? $0.forms[rank] : nil }
        }
        let count = min(max(wells.count / 4, 1), forms.count)
        return FaultScript(
            (0..<count).map { number in
                let onset = settings.frames / 4
                return Entry(
                    kind: forms[number].kind,
                    form: forms[number],
                    wells: [wells[number * wells.count / count]],
                    onset: .frame(onset),
                    end: number % 2 == 1 ? .frame(max(settings.frames * 3 / 4, onset + 1)) : nil,
                    strength: 0.4 + 0.6 * Float((number * 3) % count) / Float(count)
                )
            }
        )
    }

    /// The faults of each well; throws where the plate has no such well or a fault ends before it begins.
    func faults(_ settings: PlateSettings) throws(SimulationError) -> [Well: [Fault]] {
        let plate = ScanOrder.wells(settings.wells)
        var faults: [Well: [Fault]] = [:]
        for (number, entry) in entries.enumerated() {
            let onset = entry.onset.frame(interval: settings.interval)
            let end = entry.end?.frame(interval: settings.interval)
            if let end, end <= onset {
                throw SimulationError(
                    "\(entry.place).end: frame \(end) is not after the onset, frame \(onset); correct one of them"
                )
            }
            for well in entry.wells ?? plate {
                guard plate.contains(well) else {
                    throw SimulationError(
                        "\(entry.place).wells: a plate of \(plate.count) wells has no \(well); "
                            + "name another one or ask for more wells"
                    )
                }
                let cell = UInt64(well.row * 64 + well.column)
                var random = SplitMix64(seed: settings.seed, 0xFA17, UInt64(number), cell)
                let forms = entry.kind.forms
                let form = entry.form ?? forms[random.drawCount(0...forms.count - 1)]
                faults[well, default: []].append(
                    Fault(
                        form: form,
                        strength: entry.strength,
                        shift: entry.shift,
                        onset: onset,
                        end: end,
                        seed: random.next()
                    )
                )
            }
        }
        return faults
    }
}
