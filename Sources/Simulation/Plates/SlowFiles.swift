import Faults
import Foundation
import Plate

/// Files written in pieces with pauses; several are open at once.
struct SlowFiles: FrameDelivery {
    private struct Open {
        let file: NewFile
        let step: PlatePlan.Step
        let faults: [Fault]
        var pieces: ArraySlice<Data>
        var due: Duration
    }

    private static let pieces = 5

    private let folder: PlateFolder
    private let truth: TruthLog
    private let pause: Duration
    private var open: [Open] = []

    /// A file takes half the interval of `scaledInterval` s, at most 2 s.
    init(folder: PlateFolder, truth: TruthLog, scaledInterval: Double) {
        (self.folder, self.truth) = (folder, truth)
        pause = .seconds(min(scaledInterval / 2, 2) / Double(Self.pieces - 1))
    }

    var nextPiece: Duration? { open.map(\.due).min() }

    mutating func deliver(_ made: FrameMaker.Made, _ step: PlatePlan.Step) throws(SimulationError) {
        guard case .file(let data) = made.content else { preconditionFailure("a page is no file") }
        let size = data.count / Self.pieces + 1
        let pieces = stride(from: 0, to: data.count, by: size).map { data[$0..<min($0 + size, data.count)] }
        let file = try NewFile(try folder.path(of: step))
        try file.write(pieces[0])
        open.append(
            Open(
                file: file,
                step: step,
                faults: made.faults,
                pieces: pieces.dropFirst(),
                due: step.due + pause
            )
        )
    }

    mutating func writePiece() throws(SimulationError) {
        guard let index = open.indices.min(by: { open[$0].due < open[$1].due }) else { return }
        if let piece = open[index].pieces.popFirst() { try open[index].file.write(piece) }
        open[index].due += pause
        guard open[index].pieces.isEmpty else { return }
        let done = open.remove(at: index)
        try done.file.close()
        try truth.append(done.step, done.faults, closed: .thisMillisecond)
    }

    mutating func finish() throws(SimulationError) {
        while !open.isEmpty { try writePiece() }
    }
}
