import Digests
package import Foundation
package import Ledger
package import Plate
package import Reporting
import Rules
import Tensors

/// What a run came to, as JSON of the shape of mzQC 1.0.0 (HUPO-PSI).
///
/// Each view of a well is a run quality with the frames' files and their SHA-256; the run is a set quality. `QualityVocabulary` defines the
/// terms, `docs/quality-record.schema.json` the document.
package struct QualityRecord: Sendable {
    /// Files of frames that are gone: they have no digest.
    package private(set) var filesGone = 0

    private var document: Document

    /// Looks at a run and reads every file of its frames, on all cores; `nil` where the ledger has no frame of it.
    ///
    /// `created` is the time that the record carries.
    package init?(
        run: String,
        ledger: FrameLedger,
        tree: OutputTree,
        version: String,
        created: Timestamp,
        report: (_ well: Well) -> Void = { _ in }
    ) throws {
        let rule = UsableFrames.Rule()
        let usable = try UsableTables(ledger: ledger, tree: tree, run: run, rule: rule)
        let summaries = try ledger.wells(of: run)
        guard let first = summaries.map(\.first).min() else { return nil }
        let sessions = try ledger.sessions()
        let hasManyFolders = Set(sessions.flatMap(\.folders)).count > 1
        var models = UsedModels()
        var qualities: [Quality] = []
        var gone = 0
        let software = Software(version: version)
        for view in usable.views {
            let records = try ledger.records(of: view.well, run: run, .init(view: view.view)).reversed()
            models.note(records)
            let (files, missing) = Self.files(of: Array(records), byWholePath: hasManyFolders)
            gone += missing
            qualities.append(
                Quality(
                    label: view.view == .only ? view.well.description : "\(view.well)_\(view.view)",
                    inputFiles: files,
                    software: software,
                    parameters: Self.parameters(of: view),
                    metrics: Self.metrics(of: view, Array(records))
                )
            )
            report(view.well)
        }
        let state = try ledger.runs().first { $0.run == run }?.lastSequence ?? 0
        let reviews = Reviews(try DecisionLog(tree).decisions(run: run))
        let plate = Quality(
            label: run,
            inputFiles: [
                InputFile(tree.ledger, named: "ledger.sqlite", format: QualityVocabulary.ledger, digest: nil)
            ],
            software: software,
            parameters: [
                Parameter(QualityVocabulary.run, .text(run)),
                Parameter(QualityVocabulary.state, .integer(Int(state))),
                Parameter(QualityVocabulary.firstOutcome, .text(first.iso8601)),
                Parameter(QualityVocabulary.shortest, .integer(rule.shortest)),
                Parameter(QualityVocabulary.bridged, .integer(rule.bridged)),
            ]
                + models.parameters(
                    files: sessions.map(\.modelPath) + [tree.learnedModel(run: run)]
                ),
            metrics: Self.metrics(of: usable.views, summaries, reviews)
        )
        document = Document(
            mzQC: Document.Root(
                creationDate: created.iso8601,
                description: "What autoqc found in run \(run).",
                runQualities: qualities,
                setQualities: [plate]
            )
        )
        filesGone = gone
    }

    /// The document, with names sorted, and a newline.
    package func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(document) + Data("\n".utf8)
    }

    /// Each file once, with its digest where it is there.
    private static func files(
        of records: [FrameRecord],
        byWholePath: Bool
    ) -> (files: [InputFile], gone: Int) {
        var seen: Set<ExactPath> = []
        let sources = records.map(\.source).filter { seen.insert(ExactPath($0.absolutePath)).inserted }
        let files = Compute.concurrentMap(sources.count) { index in
            let source = sources[index]
            return InputFile(
                source.absolutePath,
                named: byWholePath ? source.absolutePath : source.path,
                format: QualityVocabulary.tiff,
                digest: Digest.sha256(file: source.absolutePath)
            )
        }
        return (files, files.count { $0.fileProperties == nil })
    }

    private static func parameters(of view: UsableTables.View) -> [Parameter] {
        [
            Parameter(QualityVocabulary.well, .text(view.well.description)),
            view.view.field.map { Parameter(QualityVocabulary.field, .integer($0)) },
            view.view.channel.map { Parameter(QualityVocabulary.channel, .text($0)) },
            view.view.plane.map { Parameter(QualityVocabulary.plane, .integer($0)) },
        ].compactMap(\.self)
    }

    private static func metrics(of view: UsableTables.View, _ records: [FrameRecord]) -> [Parameter] {
        let judgements = records.compactMap(\.judgement)
        let severities = judgements.map(\.severity).filter(\.isFinite)
        return figures(
            of: [view],
            judged: judgements.count,
            flagged: judgements.count { $0.verdict == .faulty }
        )
            + [
                Parameter(QualityVocabulary.intervals, .table(intervals(of: view))),
                Parameter(QualityVocabulary.longest, .integer(view.usable.longest)),
                severities.max().map { Parameter(QualityVocabulary.worstSeverity, .number($0)) },
                view.cause.map { Parameter(QualityVocabulary.cause, .text($0)) },
                Parameter(QualityVocabulary.turns, .table(turns(records))),
                view.review.map { Parameter(QualityVocabulary.review, .text($0)) },
            ].compactMap(\.self)
    }

    private static func metrics(
        of views: [UsableTables.View],
        _ wells: [WellSummary],
        _ reviews: Reviews
    ) -> [Parameter] {
        let (judged, flagged) = wells.reduce((0, 0)) { ($0.0 + $1.judged, $0.1 + $1.flagged) }
        return [
            Parameter(QualityVocabulary.wells, .integer(wells.count)),
            Parameter(QualityVocabulary.turnedFaulty, .integer(wells.count { $0.wasFaulty })),
            Parameter(QualityVocabulary.confirmed, .integer(reviews.frames(.fault))),
            Parameter(QualityVocabulary.falseAlarms, .integer(reviews.frames(.falseAlarm))),
            Parameter(QualityVocabulary.disputed, .integer(reviews.frames(.disputed))),
        ]
            + (reviews.pairs.isEmpty
                ? [] : [Parameter(QualityVocabulary.agreement, .table(agreement(reviews.pairs)))])
            + figures(of: views, judged: judged, flagged: flagged)
    }

    private static func figures(of views: [UsableTables.View], judged: Int, flagged: Int) -> [Parameter] {
        func sum(_ figure: (UsableTables.View) -> Int) -> Int { views.reduce(0) { $0 + figure($1) } }
        func share(_ part: Int, of all: Int) -> Value { .number(Double(part) / Double(max(all, 1))) }
        let usable = sum(\.usable.usable)
        return [
            Parameter(QualityVocabulary.judged, .integer(judged)),
            Parameter(QualityVocabulary.flagged, .integer(flagged)),
            Parameter(QualityVocabulary.flaggedShare, share(flagged, of: judged)),
            Parameter(QualityVocabulary.unreadable, .integer(sum(\.unreadable))),
            Parameter(QualityVocabulary.missing, .integer(sum(\.usable.missing))),
            Parameter(QualityVocabulary.usable, .integer(usable)),
            Parameter(QualityVocabulary.usableShare, share(usable, of: sum(\.usable.frames))),
        ]
    }

    private static func agreement(_ pairs: [Reviews.Pair]) -> [String: [Value]] {
        [
            "first": pairs.map { .text($0.first) }, "second": pairs.map { .text($0.second) },
            "both": pairs.map { .integer($0.agreement.items) },
            "same": pairs.map { .number($0.agreement.observed) },
            "kappa": pairs.map { $0.agreement.kappa.map { .number($0) } ?? .none },
        ]
    }

    private static func intervals(of view: UsableTables.View) -> [String: [Value]] {
        [
            "first": view.usable.intervals.map { .integer($0.first) },
            "last": view.usable.intervals.map { .integer($0.last) },
            "frames": view.usable.intervals.map { .integer($0.frames) },
        ]
    }

    private static func turns(_ records: [FrameRecord]) -> [String: [Value]] {
        var (frames, events, isFaulty): ([Value], [Value], Bool) = ([], [], false)
        for record in records {
            guard let frame = record.frame?.index, let state = record.judgement?.wellIsFaulty,
                state != isFaulty
            else { continue }
            isFaulty = state
            frames.append(.integer(frame))
            events.append(.text(state ? "ONSET" : "CLEAR"))
        }
        return ["frame": frames, "event": events]
    }
}

/// The models that judged a run's frames, with what they computed with and the limits they judged by.
private struct UsedModels {
    private var limits: [String: Set<[Double?]>] = [:]
    private var precisions: [String: Set<String>] = [:]

    mutating func note(_ records: some Sequence<FrameRecord>) {
        for record in records {
            guard let model = record.model, let judgement = record.judgement else { continue }
            limits[model, default: []].insert([judgement.threshold, judgement.suspectLimit])
            if let precision = judgement.precision { precisions[model, default: []].insert(precision) }
        }
    }

    /// Model by model; `files` are those that may be the models'.
    func parameters(files: [String]) -> [Parameter] {
        let digests = Set(files).compactMap { Digest.sha256(file: $0) }
        return limits.keys.sorted().flatMap { model in
            let digest = digests.first { $0.hasPrefix(model) } ?? model
            let order = (limits[model] ?? []).sorted { ($0[0] ?? 0, $0[1] ?? 0) < ($1[0] ?? 0, $1[1] ?? 0) }
            return [Parameter(QualityVocabulary.model, .text(digest))]
                + (precisions[model] ?? []).sorted().map { Parameter(QualityVocabulary.precision, .text($0)) }
                + order.flatMap { pair in
                    [
                        pair[0].map { Parameter(QualityVocabulary.threshold, .number($0)) },
                        pair[1].map { Parameter(QualityVocabulary.suspectLimit, .number($0)) },
                    ].compactMap(\.self)
                }
        }
    }
}

// MARK: - The document

private enum Value: Encodable, Sendable {
    case text(String)
    case integer(Int)
    case number(Double)
    case table([String: [Value]])
    /// Not defined.
    case none

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .integer(let number): try container.encode(number)
        case .number(let number): try container.encode(number)
        case .table(let columns): try container.encode(columns)
        case .none: try container.encodeNil()
        }
    }
}

/// A term with a value: a metric, or what metrics rest on.
private struct Parameter: Encodable, Sendable {
    let accession: String
    let name: String
    let description: String
    let value: Value?
    let unit: QualityVocabulary.Unit?

    init(_ term: QualityVocabulary.Term, _ value: Value?) {
        (accession, name, description) = (term.accession, term.name, term.definition)
        (self.value, unit) = (value, term.unit)
    }
}

private struct InputFile: Encodable, Sendable {
    struct Format: Encodable, Sendable {
        let accession: String
        let name: String
        var value: String?
    }

    let name: String
    let location: String
    let fileFormat: Format
    let fileProperties: [Format]?

    init(_ path: String, named name: String, format: QualityVocabulary.Term, digest: String?) {
        self.name = name
        location = URL(filePath: path).absoluteString
        fileFormat = Format(accession: format.accession, name: format.name)
        fileProperties = digest.map { [Format(accession: "MS:1003151", name: "SHA-256", value: $0)] }
    }
}

private struct Software: Encodable, Sendable {
    let accession = QualityVocabulary.software.accession
    let name = QualityVocabulary.software.name
    let version: String
    let uri = "urn:autoqc"
}

private struct Quality: Encodable, Sendable {
    struct Metadata: Encodable, Sendable {
        let label: String
        let inputFiles: [InputFile]
        let analysisSoftware: [Software]
        let cvParameters: [Parameter]
    }

    let metadata: Metadata
    let qualityMetrics: [Parameter]

    init(
        label: String,
        inputFiles: [InputFile],
        software: Software,
        parameters: [Parameter],
        metrics: [Parameter]
    ) {
        metadata = Metadata(
            label: label,
            inputFiles: inputFiles,
            analysisSoftware: [software],
            cvParameters: parameters
        )
        qualityMetrics = metrics
    }
}

private struct Document: Encodable, Sendable {
    struct Root: Encodable, Sendable {
        let version = "1.0.0"
        let creationDate: String
        let description: String
        let runQualities: [Quality]
        let setQualities: [Quality]
        let controlledVocabularies = QualityVocabulary.vocabularies
    }

    let mzQC: Root
}
