import Faults
import Plate
import Randomness

/// One frame of a labelled set, before it is made.
struct SetItem: Sendable {
    /// Plate and name of the run.
    let plate: Int
    let well: Well
    let index: Int
    let variety: Specimen.Variety
    let fault: Fault?
    let isTraining: Bool

    /// Path in the set's folder, for example `test/51_B1_f100.tiff`, with the well as the published names have it.
    var path: String { "\(isTraining ? "train" : "test")/\(name)" }

    /// Path of the mask of a faulty frame.
    var maskPath: String? { fault.map { _ in "masks/\(name)" } }

    private var name: String {
        let letters = well.description.prefix { $0.isLetter }
        return "\(plate < 10 ? "0" : "")\(plate)_\(letters)\(well.column)_f\(index).tiff"
    }

    /// Wells a plate of a set has: the first 4 rows and 16 columns.
    private static let wells: [Well] = (0..<64).compactMap { Well(row: $0 / 16, column: $0 % 16 + 1) }
    /// Plate of the first test frame; training plates come before.
    private static let training = 1

    /// All frames of a set: one of each well, so that no cell is in two; test wells are on later plates.
    static func all(_ composition: SetComposition, seed: UInt64) -> [SetItem] {
        var random = SplitMix64(seed: seed, 0x5E7)
        let varieties = Specimen.Variety.allCases.filter { $0 != .typical }
        let count = composition.training + composition.normal + composition.faulty
        let firstTest = (composition.training + wells.count - 1) / wells.count * wells.count
        return (0..<count).map { number in
            let isTraining = number < composition.training
            let position = isTraining ? number : firstTest + number - composition.training
            let order = number - composition.training - composition.normal
            // Four of ten normal frames have something striking that is no fault; of the faulty ones, two.
            let striking = (order < 0 ? number * 4 : number * 2) % 10 < (order < 0 ? 4 : 2)
            var variety = striking ? varieties[random.drawCount(0...varieties.count - 1)] : .typical
            let index = random.drawCount(0...240)
            let fault =
                order < 0
                ? nil : drawFault(order, of: composition.faulty, onset: index, using: &random)
            // Without cells nobody can tell the focus.
            if fault?.kind == .zShift, variety == .empty { variety = .dense }
            return SetItem(
                plate: training + position / wells.count,
                well: wells[position % wells.count],
                index: index,
                variety: variety,
                fault: fault,
                isTraining: isTraining
            )
        }
    }

    /// Classes take turns, and so do the forms of each; strengths cover 0.15 to 1 evenly in each class.
    private static func drawFault(_ order: Int, of count: Int, onset: Int, using random: inout SplitMix64)
        -> Fault
    {
        let kinds = FaultKind.allCases
        let forms = kinds[order % kinds.count].forms
        let turn = order / kinds.count
        let turns = max((count + kinds.count - 1) / kinds.count, 1)
        // The golden ratio's multiples spread evenly and do not keep step with the forms.
        let place = Float(turn) * 0.618_034
        let strength = 0.15 + 0.85 * (place - place.rounded(.down))
        let spread = 0.5 / Float(turns) * (random.nextUniform() - 0.5)
        return Fault(
            form: forms[turn % forms.count],
            strength: min(max(strength + spread, 0.1), 1),
            onset: onset,
            seed: random.next()
        )
    }
}
