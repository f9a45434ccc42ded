import Digests
import Files
import Foundation
package import Ledger
package import Plate
package import Reporting
import Tables

/// A run as an RO-Crate 1.1: a folder that says what it holds, to be kept, sent or deposited.
///
/// ```
/// DIR/ro-crate-metadata.json             what is what: files with digests, autoqc, the model, the run's time
/// DIR/quality-record.mzqc.json           the quality record
/// DIR/usable-frames.csv, wells.csv       which frames of which wells can be used
/// DIR/review.html                        the review
/// DIR/masks, DIR/alarms                  masks with their regions, alarm logs; as in the output folder
/// DIR/manifest-sha256.txt                digests of all files, for `sha256sum -c`
/// ```
/// The frames themselves stay where they are; the record names each with its digest.
package struct RunCrate {
    /// How it came out.
    package struct Outcome: Sendable {
        /// Files in the crate.
        package let files: Int
        /// Files of frames that are gone, for the record; 0 where an earlier start has written the record.
        package let filesGone: Int
    }

    private let run: String
    private let ledger: FrameLedger
    private let tree: OutputTree
    private let version: String
    private let folder: ExportFolder

    private static let record = "quality-record.mzqc.json"
    private static let manifest = "manifest-sha256.txt"
    private static let metadata = "ro-crate-metadata.json"

    /// Names what is written where; the folder must not be there yet, be empty, or hold the same export unfinished.
    package init(run: String, ledger: FrameLedger, tree: OutputTree, version: String, folder: String) throws {
        (self.run, self.ledger, self.tree, self.version) = (run, ledger, tree, version)
        let state = try ExportFolder.state(of: run, ledger: ledger, tree: tree)
        self.folder = try ExportFolder(folder, parts: ["crate", version, run] + state)
    }

    /// Writes it.
    ///
    /// `review` writes the review as HTML to a path; `report` hears of each well of the record.
    package func write(
        review: (_ path: String) throws -> Void,
        report: (_ well: Well) -> Void = { _ in }
    ) throws -> Outcome {
        var gone = 0
        try folder.add(Self.record) {
            let record = try QualityRecord(
                run: run,
                ledger: ledger,
                tree: tree,
                version: version,
                created: folder.begun,
                report: report
            )
            gone = record?.filesGone ?? 0
            return try record?.json() ?? Data()
        }
        let usable = try UsableTables(ledger: ledger, tree: tree, run: run)
        try addTable("usable-frames.csv", usable.intervals, UsableTables.ofIntervals)
        try addTable("wells.csv", usable.views, UsableTables.ofWells)
        try folder.add("review.html", writing: review)
        for part in ["masks", "alarms"] {
            let place = "\(tree.folder(run: run))/\(part)"
            for name in try Durable.entries(of: place) where !name.hasSuffix(Durable.temporarySuffix) {
                try folder.add("\(part)/\(name)") { try Data(contentsOf: URL(filePath: "\(place)/\(name)")) }
            }
        }
        let files = try listed()
        try folder.add(Self.metadata) { try ExportedJSON.data(document(files)) }
        let metadata = Digest.sha256(file: "\(folder.path)/\(Self.metadata)") ?? ""
        try folder.add(Self.manifest) {
            (files.map { "\($0.digest)  \($0.name)\n" } + ["\(metadata)  \(Self.metadata)\n"]).joined().utf8
        }
        try folder.finish()
        return Outcome(files: files.count + 2, filesGone: gone)
    }

    private func addTable<Row>(_ name: String, _ rows: [Row], _ table: Table<Row>) throws {
        try folder.add(name) {
            ([table.header] + rows.map(table.csv)).map { $0 + "\n" }.joined().utf8
        }
    }

    // MARK: - Metadata

    private struct File {
        let name: String
        let size: Int
        let digest: String
    }

    /// The files so far, without what is about them.
    private func listed() throws -> [File] {
        let names = [Self.record, "usable-frames.csv", "wells.csv", "review.html"]
        let parts = try ["masks", "alarms"].flatMap { part in
            try Durable.entries(of: "\(folder.path)/\(part)").map { "\(part)/\($0)" }
        }
        return try (names + parts).filter(folder.has).map { name in
            let path = "\(folder.path)/\(name)"
            guard let digest = Digest.sha256(file: path) else { throw OutputError("read", path, errno: EIO) }
            let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber
            return File(name: name, size: size?.intValue ?? 0, digest: digest)
        }
    }

    private func document(_ files: [File]) throws -> [String: Any] {
        let sessions = try ledger.sessions()
        let models = Set(sessions.map(\.model)).sorted()
        let hasMasks = files.contains { $0.name.hasPrefix("masks/") }
        let hasAlarms = files.contains { $0.name.hasPrefix("alarms/") }
        let folders = [hasMasks ? "masks/" : nil, hasAlarms ? "alarms/" : nil].compactMap(\.self)
        let day = String(folder.begun.iso8601.prefix(10))
        let top = files.map(\.name).filter { !$0.contains("/") } + folders
        var root: [String: Any] = [
            "@id": "./", "@type": "Dataset", "name": "Quality control of run \(run)",
            "description":
                "What autoqc found in the frames of run \(run): a quality record, which frames can be "
                + "used, a review, masks of faults and alarms. The frames themselves are not in it.",
            "datePublished": day, "license": Self.reference("#licence"),
            "hasPart": top.map(Self.reference), "mentions": Self.reference("#quality-control"),
        ]
        if let first = try ledger.wells(of: run).map(\.first).min() { root["dateCreated"] = first.iso8601 }
        var action: [String: Any] = [
            "@id": "#quality-control", "@type": "CreateAction", "name": "Quality control of run \(run)",
            "instrument": Self.reference("#autoqc"),
            "result": top.map(Self.reference),
        ]
        // The specification wants a single value without a list around it.
        let objects = models.map { Self.reference("#model-\($0)") }
        action["object"] = objects.count == 1 ? objects[0] : objects
        if let ended = sessions.last?.ended { action["endTime"] = ended.iso8601 }
        if let started = sessions.first?.started { action["startTime"] = started.iso8601 }
        let about: [[String: Any]] = [
            [
                "@id": Self.metadata, "@type": "CreativeWork", "about": Self.reference("./"),
                "conformsTo": Self.reference("https://w3id.org/ro/crate/1.1"),
            ],
            root, action,
            [
                "@id": "#licence", "@type": "CreativeWork", "name": "No licence is stated",
                "description": "Ask the owner of the data before you use it.",
            ],
            [
                "@id": "#autoqc", "@type": "SoftwareApplication", "name": "autoqc",
                "softwareVersion": version, "version": version,
            ],
        ]
        let entities = models.map { model -> [String: Any] in
            [
                "@id": "#model-\(model)", "@type": "CreativeWork", "name": "model \(model)",
                "description":
                    "Network and calibration; the first digits of the SHA-256 of its file are \(model).",
            ]
        }
        let datasets = folders.map { part -> [String: Any] in
            let within = files.filter { $0.name.hasPrefix(part) }
            return [
                "@id": part, "@type": "Dataset",
                "name": part == "masks/" ? "masks of faulty frames, with their regions" : "alarm logs",
                "hasPart": within.map { Self.reference(Self.identifier($0.name)) },
            ]
        }
        return [
            "@context": [
                "https://w3id.org/ro/crate/1.1/context", ["sha256": "https://schema.org/sha256"],
            ] as [Any],
            "@graph": about + entities + datasets + files.map(Self.entity),
        ]
    }

    private static func entity(_ file: File) -> [String: Any] {
        let name = file.name.split(separator: "/").last.map(String.init) ?? file.name
        let kinds = [
            ".mzqc.json": ("application/json", "quality record (mzQC 1.0.0)"),
            ".csv": ("text/csv", "table"), ".html": ("text/html", "review"),
            ".mask.tiff": ("image/tiff", "mask of a frame"),
            ".mask.geojson": ("application/geo+json", "regions of a mask"),
            ".log": ("text/plain", "alarm log"),
        ]
        let kind = kinds.first { file.name.hasSuffix($0.key) }?.value
        var entity: [String: Any] = [
            "@id": identifier(file.name), "@type": "File", "name": name, "contentSize": "\(file.size)",
            "sha256": file.digest,
        ]
        entity["encodingFormat"] = kind?.0
        entity["description"] = kind?.1
        return entity
    }

    /// The name of a file as a relative address.
    private static func identifier(_ name: String) -> String {
        name.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? name
    }

    private static func reference(_ identifier: String) -> [String: String] { ["@id": identifier] }
}
