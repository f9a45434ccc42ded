import Foundation
package import Ledger
import Plate
package import Reporting
package import Rules

/// Runs as sections of a report of MultiQC: files that it finds by their names (custom content, `*_mqc.json`).
///
/// ```
/// DIR/RUN.general_mqc.json  a row of the general statistics: frames, flagged, usable, unreadable, missing
/// DIR/RUN.causes_mqc.json   a bar: frames that are not good, by cause
/// DIR/RUN.wells_mqc.json    a heat map with the form of the plate: share of usable frames of each well
/// ```
/// A run is a sample. Rows and bars of several runs and output folders come together in the report, as their sections have the same id.
package struct ReportSections {
    private let folder: ExportFolder
    private let views: [(run: String, views: [UsableTables.View])]

    /// Reads one run or all; the folder must not be there yet, be empty, or hold the same export unfinished.
    package init(
        run: String?,
        ledger: FrameLedger,
        tree: OutputTree,
        rule: UsableFrames.Rule,
        version: String,
        folder: String
    ) throws {
        let state = try ExportFolder.state(of: run, ledger: ledger, tree: tree)
        self.folder = try ExportFolder(
            folder,
            parts: ["report sections", version, run ?? "", "\(rule)"] + state
        )
        let tables = try UsableTables(ledger: ledger, tree: tree, run: run, rule: rule)
        views = Dictionary(grouping: tables.views, by: \.run).sorted { $0.key < $1.key }
            .map { (run: $0.key, views: $0.value) }
    }

    /// Writes three files for each run, and says how many runs there were.
    package func write() throws -> Int {
        for (run, views) in views {
            for (name, section) in [
                ("general", Self.general(run, views)), ("causes", Self.causes(run, views)),
                ("wells", Self.wells(run, views)),
            ] {
                try folder.add("\(SafeName.of(run)).\(name)_mqc.json") { try ExportedJSON.data(section) }
            }
        }
        try folder.finish()
        return views.count
    }

    private static func general(_ run: String, _ views: [UsableTables.View]) -> [String: Any] {
        func sum(_ figure: (UsableTables.View) -> Int) -> Int { views.reduce(0) { $0 + figure($1) } }
        let frames = sum(\.usable.frames)
        func count(_ name: String, _ title: String, _ description: String, _ scale: String) -> [String: Any] {
            [
                name: [
                    "title": title, "description": description, "format": "{:,.0f}", "min": 0, "scale": scale,
                ]
            ]
        }
        func percent(_ name: String, _ title: String, _ description: String, _ scale: String) -> [String: Any]
        {
            [
                name: [
                    "title": title, "description": description, "suffix": "%", "format": "{:,.1f}",
                    "min": 0, "max": 100, "scale": scale,
                ]
            ]
        }
        return [
            "id": "autoqc_general",
            "plot_type": "generalstats",
            "namespace": "autoqc",
            "headers": [
                count("frames", "Frames", "Frames with an outcome or missing", "Greys"),
                percent("flagged", "Flagged", "Frames that are faulty, of all", "Oranges"),
                percent("usable", "Usable", "Good frames in intervals of usable frames, of all", "Blues"),
                count("unreadable", "Unreadable", "Frames that cannot be read or judged", "Oranges"),
                count("missing", "Missing", "Frames that never came", "Oranges"),
            ],
            "data": [
                run: [
                    "frames": frames,
                    "flagged": share(sum(\.flagged), of: frames),
                    "usable": share(sum(\.usable.usable), of: frames),
                    "unreadable": sum(\.unreadable),
                    "missing": sum(\.usable.missing),
                ]
            ],
        ]
    }

    private static func causes(_ run: String, _ views: [UsableTables.View]) -> [String: Any] {
        var counts = Dictionary(uniqueKeysWithValues: Cause.allCases.map { ($0.rawValue, 0) })
        for view in views { counts.merge(view.causes, uniquingKeysWith: +) }
        counts["unreadable"] = views.reduce(0) { $0 + $1.unreadable }
        counts["missing"] = views.reduce(0) { $0 + $1.usable.missing }
        var categories = Dictionary(
            uniqueKeysWithValues: Cause.allCases.map { cause in
                let colour = cause.colour.map { UInt8(clamping: $0).digits(2, radix: 16) }.joined()
                return (cause.rawValue, ["name": cause.rawValue, "color": "#\(colour)"])
            }
        )
        categories["unreadable"] = ["name": "unreadable", "color": "#444444"]
        categories["missing"] = ["name": "missing", "color": "#aaaaaa"]
        return section(
            "autoqc_causes",
            "Frames that are not good",
            "Flagged frames by their probable cause, and frames that cannot be read or never came.",
            [
                "plot_type": "bargraph",
                "categories": categories,
                "pconfig": [
                    "id": "autoqc_causes_plot", "title": "autoqc: frames that are not good", "ylab": "Frames",
                ],
                "data": [run: counts],
            ]
        )
    }

    private static func wells(_ run: String, _ views: [UsableTables.View]) -> [String: Any] {
        let ofWell = Dictionary(grouping: views, by: \.well)
        let size = PlateSize(holding: ofWell.keys)
        let shares = (0..<size.rows).map { row in
            (1...size.columns).map { column -> Any in
                guard let well = Well(row: row, column: column), let views = ofWell[well] else {
                    return NSNull()
                }
                let frames = views.reduce(0) { $0 + $1.usable.frames }
                return share(views.reduce(0) { $0 + $1.usable.usable }, of: frames)
            }
        }
        return section(
            "autoqc_wells_\(run.stableHash)",
            "Usable frames of run \(run)",
            "Share of each well's frames that are good and in an interval of usable frames, in %.",
            [
                "plot_type": "heatmap",
                "xcats": (1...size.columns).map { "\($0)" },
                "ycats": (0..<size.rows).map { Well.letters(ofRow: $0) },
                "pconfig": [
                    "id": "autoqc_wells_\(run.stableHash)_plot",
                    "title": "autoqc: usable frames of run \(run)",
                    "xlab": "Column", "ylab": "Row", "zlab": "Usable frames in %",
                    "min": 0, "max": 100, "tt_decimals": 0,
                    "square": false, "angled_xticks": false,
                    "xcats_samples": false, "ycats_samples": false,
                    "cluster_rows": false, "cluster_cols": false,
                    "colstops": [[0, "#e66101"], [0.5, "#fdf1dc"], [1, "#2b5c9e"]] as [[Any]],
                ] as [String: Any],
                "data": shares,
            ]
        )
    }

    private static func section(
        _ id: String,
        _ name: String,
        _ description: String,
        _ content: [String: Any]
    ) -> [String: Any] {
        content.merging(
            [
                "id": id,
                "section_name": name,
                "description": description,
                "parent_id": "autoqc",
                "parent_name": "autoqc",
                "parent_description": "judges every frame of a high-throughput microscope.",
            ],
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// In %, with as many digits as a reader can use.
    private static func share(_ part: Int, of all: Int) -> Double {
        (Double(part) / Double(max(all, 1)) * 10_000).rounded() / 100
    }
}
