import Acquisition
import Auditing
import Foundation
import Frames
import Ledger
import Plate
import Reporting
import Testing

/// A watched folder and an output folder in which all is as the daemon leaves it.
struct AuditedPlate {
    let watched: URL
    let tree: OutputTree
    let ledger: FrameLedger

    init(in folder: URL) throws {
        watched = folder.appending(path: "plate")
        tree = OutputTree(root: folder.appending(path: "out").path)
        try FileManager.default.createDirectory(at: watched, withIntermediateDirectories: true)
        try tree.prepare()
        ledger = try FrameLedger(path: tree.ledger)
    }

    /// Writes a file and says what is in it.
    @discardableResult
    func write(_ name: String, _ text: String = "pixels") throws -> FileIdentity {
        let url = watched.appending(path: name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(text.utf8).write(to: url)
        return try #require(FrameListing.identity(of: url.path))
    }

    /// A frame of well B1 with all its effects.
    func judge(
        _ index: Int,
        faulty: Bool = false,
        run: String = "01",
        pages: Int = 1,
        judgedPages: Int = 1
    ) throws {
        let name = "\(run)_B1_f\(index).tif"
        let identity = try write(name)
        let well = try #require(Well("B1"))
        for page in 0..<judgedPages {
            let frame = FrameID(run: run, well: well, index: index + page)
            let sidecar = Sidecars.name(file: name, page: page)
            if faulty { try announce(frame, sidecar) }
            try ledger.record([
                FrameRecord(
                    source: FrameSource(root: watched.path, path: name, page: page, identity: identity),
                    pages: pages,
                    frame: frame,
                    outcome: .judged(
                        Self.judgement(faulty, maskPath: faulty ? Sidecars.maskPath(name: sidecar) : nil)
                    ),
                    model: "3f9ac2d41b7e",
                    completed: nil,
                    judged: Timestamp(nanoseconds: 1_795_000_000_000_000_000)
                )
            ])
        }
    }

    func announce(_ frame: FrameID, _ sidecar: String) throws {
        var log = try AlarmLog(tree: tree, run: frame.run, well: frame.well)
        try log.append([Self.fault(frame)])
        try Sidecars(tree: tree, writeMask: Sidecars.writeTIFF).write(
            Mask(height: 2, width: 2, values: [0, 1, 1, 0]),
            pixelSize: nil,
            run: frame.run,
            name: sidecar,
            regionsOf: nil
        )
    }

    static func fault(_ frame: FrameID) -> Alarm {
        Alarm(
            time: Timestamp(nanoseconds: 1_795_000_000_000_000_000),
            event: .fault,
            frame: frame,
            model: "3f9ac2d41b7e",
            judgement: judgement(true),
            reason: nil,
            latencyMilliseconds: nil
        )
    }

    static func judgement(
        _ faulty: Bool,
        severity: Double? = nil,
        cause: ProbableCause = .unknown,
        terms: [SeverityContribution] = [],
        maskPath: String? = nil
    ) -> Judgement {
        var judgement = Judgement(
            verdict: faulty ? .faulty : .normal,
            severity: severity ?? (faulty ? 4 : 1),
            threshold: 3,
            terms: terms,
            scores: ImageScores(maximum: 0.9, mean: 0.1, patch: 0.5),
            score: 0.5,
            cause: cause,
            area: faulty ? 0.5 : 0,
            boundingBox: nil
        )
        judgement.maskPath = maskPath
        judgement.wellIsFaulty = faulty
        return judgement
    }

    func audit(run: String? = nil, against: String? = nil) throws -> AuditReport {
        try Audit.report(
            of: ledger,
            in: tree,
            scope: Audit.Scope(folders: [watched.path], pattern: FramePattern(), run: run, against: against)
        )
    }

    /// The path of something below the run's output folder.
    func output(_ path: String) -> URL { URL(filePath: tree.folder(run: "01")).appending(path: path) }
}
