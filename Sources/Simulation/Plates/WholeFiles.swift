import Foundation
import Plate

/// Files written in one go, under their name or under a temporary one first.
struct WholeFiles: FrameDelivery {
    let folder: PlateFolder
    let truth: TruthLog
    let renames: Bool

    var nextPiece: Duration? { nil }

    func deliver(_ made: FrameMaker.Made, _ step: PlatePlan.Step) throws(SimulationError) {
        guard case .file(let data) = made.content else { preconditionFailure("a page is no file") }
        let path = try folder.path(of: step)
        let file = try NewFile(renames ? path + PlateFolder.temporarySuffix : path)
        try file.write(data)
        try file.close()
        if renames { try NewFile.rename(path + PlateFolder.temporarySuffix, to: path) }
        try truth.append(step, made.faults, closed: .thisMillisecond)
    }

    func writePiece() {}
    func finish() {}
}
