import Foundation
package import Plate

/// Where everything lies under an output folder.
///
/// ```
/// OUT/ledger.sqlite
/// OUT/RUN/alarms/B01.log
/// OUT/RUN/masks/01_B1_f100.mask.tiff, 01_B1_f100.mask.geojson
/// OUT/RUN/quarantine.log
/// OUT/RUN/learned.safetensors
/// OUT/canary.log
/// ```
/// Masks are named like their frames' files, or `B01_f100` where a pattern with a `/` lets files of different wells share a
/// name. `RUN` and the masks' names come from outside and are made safe: see `SafeName`.
package struct OutputTree: Sendable, Equatable {
    /// The output folder, absolute.
    package let root: String

    /// Names an output folder.
    package init(root: String) {
        self.root = root
    }

    /// The record of every frame.
    package var ledger: String { "\(root)/ledger.sqlite" }

    /// The log of the daemon's test of itself, of no run.
    package var canaryLog: String { "\(root)/canary.log" }

    /// Held locked by the daemon that writes here.
    package var lock: String { "\(root)/.lock" }

    /// The folder of one run.
    package func folder(run: String) -> String { "\(root)/\(SafeName.of(run))" }

    /// The alarm log of one well of a run.
    package func alarmLog(run: String, well: Well) -> String { "\(folder(run: run))/alarms/\(well).log" }

    /// The masks of a run.
    package func masks(run: String) -> String { "\(folder(run: run))/masks" }

    /// The alarm log of what a run's wells have in common.
    package func plateLog(run: String) -> String { "\(folder(run: run))/alarms/plate.log" }

    /// The file that is there while a run had better be stopped.
    package func stopAdvice(run: String) -> String { "\(folder(run: run))/STOP-ADVISED" }

    /// Folder of the score maps of a run's faulty frames.
    package func scores(run: String) -> String { "\(folder(run: run))/scores" }

    /// The log of the frames of a run that could not be judged.
    package func quarantineLog(run: String) -> String { "\(folder(run: run))/quarantine.log" }

    /// The model file of what a run's first frames taught.
    package func learnedModel(run: String) -> String { "\(folder(run: run))/learned.safetensors" }

    /// Makes the folder and shows that it can be written; does no harm to a daemon that writes it.
    package func probe() throws(OutputError) {
        try Durable.makeFolders(root)
        let path = "\(root)/\(Self.probePrefix)\(getpid())"
        try Durable.replace(path) { temporary throws(OutputError) in
            try Durable.write(bytes: [], to: temporary)
        }
        try Durable.remove(path)
    }

    /// Makes the folder ready for the one daemon that writes it: removes what a crash left half-written.
    package func prepare() throws(OutputError) {
        try probe()
        for name in try Durable.entries(of: root) where Self.isLeftProbe(name) {
            try Durable.remove("\(root)/\(name)")
        }
        for run in try Durable.entries(of: root) {
            let masks = "\(root)/\(run)/masks"
            for name in try Durable.entries(of: masks) where name.hasSuffix(Durable.temporarySuffix) {
                try Durable.remove("\(masks)/\(name)")
            }
        }
    }

    private static let probePrefix = ".probe-"

    /// Whether a file is the probe of a process that is gone.
    private static func isLeftProbe(_ name: String) -> Bool {
        guard name.hasPrefix(probePrefix),
            let process = Int32(name.dropFirst(probePrefix.count).prefix { $0.isNumber })
        else { return false }
        return kill(process, 0) != 0 && errno == ESRCH
    }
}
