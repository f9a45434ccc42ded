import Plate

/// The terms of quality records, each with its number, its name, what it means and its unit; `docs/vocabulary.md` lists them.
///
/// Numbers and meanings stay. What changes its meaning gets a new number.
package enum QualityVocabulary {
    /// A term.
    package struct Term: Sendable {
        /// Its number in the vocabulary, `AQC:0000001`.
        package let accession: String
        /// Its name.
        package let name: String
        /// What it means, in one sentence.
        package let definition: String
        /// Its unit; `nil` for a text or a table.
        package let unit: Unit?

        init(_ number: Int, _ name: String, _ definition: String, _ unit: Unit? = nil) {
            (accession, self.name) = ("AQC:" + number.digits(7), name)
            (self.definition, self.unit) = (definition, unit)
        }
    }

    /// A unit of the Units of Measurement Ontology.
    package struct Unit: Sendable, Encodable {
        /// Its number there.
        package let accession: String
        /// Its name.
        package let name: String

        static let count = Unit(accession: "UO:0000189", name: "count unit")
        static let ratio = Unit(accession: "UO:0000190", name: "ratio")
        static let dimensionless = Unit(accession: "UO:0000186", name: "dimensionless unit")
    }

    // MARK: - Figures

    static let judged = Term(1, "frames judged", "Frames that got a verdict.", .count)
    static let flagged = Term(2, "frames flagged", "Frames that were judged faulty.", .count)
    static let unreadable = Term(
        3,
        "frames unreadable",
        "Frames that are there and could not be judged.",
        .count
    )
    static let missing = Term(
        4,
        "frames missing",
        "Frames between the first and the last that never came.",
        .count
    )
    static let flaggedShare = Term(5, "share of frames flagged", "Flagged of judged frames.", .ratio)
    static let usable = Term(
        6,
        "usable frames",
        "Good frames in usable intervals; a reviewer's decision comes before the verdict.",
        .count
    )
    static let usableShare = Term(7, "share of usable frames", "Usable of all frames that are there.", .ratio)
    static let intervals = Term(
        8,
        "usable intervals",
        "Table of the intervals of good frames: indices of the first and last frame, and the good frames in it."
    )
    static let longest = Term(
        9,
        "longest usable interval",
        "Good frames of the usable interval that has most.",
        .count
    )
    static let worstSeverity = Term(
        10,
        "worst severity",
        "The largest severity: the distance of a frame from normal frames, in their spread.",
        .dimensionless
    )
    static let cause = Term(11, "most frequent cause", "The probable cause that most flagged frames have.")
    static let turns = Term(
        12,
        "turns",
        "Table of the frames with which a well turned faulty (ONSET) or normal again (CLEAR)."
    )
    static let review = Term(13, "review of the well", "What a reviewer said of the whole well.")
    static let wells = Term(14, "wells", "Wells with frames.", .count)
    static let turnedFaulty = Term(15, "wells turned faulty", "Wells that turned faulty in the run.", .count)
    static let confirmed = Term(
        16,
        "faults confirmed",
        "Frames that all who decided on them call faulty.",
        .count
    )
    static let falseAlarms = Term(
        17,
        "false alarms",
        "Flagged frames that all who decided on them call normal.",
        .count
    )
    static let disputed = Term(18, "disputed frames", "Frames on which reviewers disagree.", .count)
    static let agreement = Term(
        19,
        "agreement of reviewers",
        "Table of each two people: names, frames and wells that both decided on, share that is the same, Cohen's kappa."
    )

    // MARK: - What the figures rest on

    static let run = Term(101, "run", "Name of the run, as file names say it.")
    static let well = Term(102, "well", "Name of the well.")
    static let field = Term(103, "field", "Number of the field in the well.")
    static let channel = Term(104, "channel", "Name of the channel.")
    static let plane = Term(105, "plane", "Number of the focal plane.")
    static let model = Term(
        106,
        "model file",
        "SHA-256 of the file with network and calibration, or its first digits where the file is gone."
    )
    static let precision = Term(107, "precision", "What the network computed with.")
    static let threshold = Term(108, "severity threshold", "A frame above it is faulty.", .dimensionless)
    static let suspectLimit = Term(
        109,
        "suspect limit",
        "A frame above it that passes is suspect.",
        .dimensionless
    )
    static let shortest = Term(
        110,
        "shortest interval",
        "Fewest good frames of a usable interval.",
        .count
    )
    static let bridged = Term(
        111,
        "bridged frames",
        "Most bad frames in a row that do not end a usable interval.",
        .count
    )
    static let state = Term(
        112,
        "state of the ledger",
        "Number of the run's last outcome in the order of recording."
    )
    static let firstOutcome = Term(113, "first outcome", "When the run's first frame was judged, in UTC.")
    static let tiff = Term(201, "TIFF image", "A file in the Tagged Image File Format.")
    static let ledger = Term(202, "ledger", "The SQLite database in which autoqc records every frame.")
    static let software = Term(
        301,
        "autoqc",
        "Quality control that runs beside a high-throughput microscope."
    )

    /// All terms.
    package static let terms = [
        judged, flagged, unreadable, missing, flaggedShare, usable, usableShare, intervals, longest,
        worstSeverity, cause, turns, review, wells, turnedFaulty, confirmed, falseAlarms, disputed, agreement,
        run, well, field,
        channel, plane, model, precision, threshold, suspectLimit, shortest, bridged, state, firstOutcome,
        tiff, ledger, software,
    ]

    /// The vocabularies that define the terms of a record.
    static let vocabularies = [
        ["name": "autoqc vocabulary", "uri": "urn:autoqc:vocabulary"],
        ["name": "PSI-MS", "uri": "http://purl.obolibrary.org/obo/ms.obo"],
        ["name": "Units of Measurement Ontology", "uri": "http://purl.obolibrary.org/obo/uo.obo"],
    ]
}
