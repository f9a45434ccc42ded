import Foundation
package import Plate

/// How file names tell run, well, view and time, for example `{run}_{well}_f{frame}.tif<f>`.
///
/// | part | stands for |
/// |---|---|
/// | `{run}` | the run: text, as short as it can be |
/// | `{well}` | `A1`, `a01`, `AF48` |
/// | `{row}` `{column}` | the well in two parts; the row as letters or as a number from 1 |
/// | `{field}` `{plane}` `{frame}` | a number, as long as it can be |
/// | `{channel}` | text, as short as it can be |
/// | `{time}` | `00d08h00m` (any of d, h, m, s), or `2024y05m02d_13h06m`; in minutes, in seconds where the name has seconds |
/// | `{guid}` `{number}` | the 36 characters of a GUID, a number; neither says anything of the frame |
/// | `{field:3}` | a field of just 3 characters; so for every field but `{well=...}` |
/// | `{well=A1}` | nothing in the name: all files are of this well |
/// | `*` `?` | any text, as short as it can be, and any character; neither is a `/` |
/// | `<...>` | a part that may be missing; `{f}` is short for `<f>` |
/// | `...|...` | alternatives; the first one that fits counts |
/// | `!...` | an alternative for files that are no frames: they are passed over |
///
/// All else is literal text. The extension, from the last dot on, ignores case. Each field but `{number}` stands once in an
/// alternative.
///
/// - A pattern is compared with the end of the path below the watched folder: with the file's own name and as many folders
///   above it as the pattern has.
/// - Without a `{run}` in the name, the run is the folder directly under the watched one, or the watched folder's own name for
///   files (with the folders that the pattern has) that lie in it.
/// - Without `{frame}` and `{time}` the index is 0: each file is a movie.
///
/// Names come from outside and become folders of the output tree, so some are refused whatever the pattern: any part of the
/// path over 200 bytes (room must remain for suffixes), characters that cannot be shown, and runs that begin with a dot.
/// Hidden files and folders and temporary names (`~`, `.tmp`, `.part`, `~$` in front and their like) are ignored without a word.
/// Runs and channels are text, so two spellings of an accent are the same; paths are bytes.
package struct FramePattern: Sendable, Equatable, CustomStringConvertible {
    /// The name of the ready pattern of a ComplexEye: `01_B1_f100.tif` or `.tiff`.
    package static let standard = "complexeye"

    /// The pattern as it was given: its text, or the name of a ready one.
    package let description: String
    let alternatives: [Alternative]

    /// One way in which a name may be written.
    struct Alternative: Sendable, Equatable {
        var parts: [NamePart]
        /// Whether files of such names are no frames.
        var isPassedOver = false
        /// The well of all files, where the names tell none.
        var well: Well?
        /// The fewest and the most folders that it has.
        var folders = 0...0
    }

    /// The longest part of a path that is taken, in bytes.
    static let longestName = 200
    private static let temporarySuffixes = [
        "~", ".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".download", ".swp", ".lock",
    ].map { Array($0.utf8) }

    /// Reads a pattern or takes the ready one of this name; throws a sentence for one that could match nothing or cannot name
    /// wells.
    package init(_ pattern: String = standard) throws(FramePatternError) {
        description = pattern
        let text = ReadyPattern.named(pattern)?.pattern ?? pattern
        alternatives = try PatternParser.alternatives(of: text)
    }

    /// Whether folders are part of the pattern, so that files of different frames may have the same name.
    package var hasFolders: Bool { alternatives.contains { $0.folders.upperBound > 0 } }

    /// The frame that a file shows, or `nil` where `read` refuses or ignores it.
    package func match(relativePath: String, rootName: String = "") -> FrameID? {
        guard case .frame(let frame) = read(relativePath: relativePath, rootName: rootName) else {
            return nil
        }
        return frame
    }

    /// The frame that a file shows which lies in no watched folder, or `nil` where its name tells none; the run of a name that
    /// tells none is the folder above.
    package func match(path: String) -> FrameID? {
        let components = ExactPath.absolute(path).text.utf8.split(separator: UInt8(ascii: "/"))
        let folder = { (above: Int) in above > 0 ? String(Substring(components[above - 1])) : "" }
        guard case .frame(let frame) = read(components, folder: folder) else { return nil }
        return frame
    }

    /// What the path of a file below its root says; `rootName` is the run of files that lie in the root
    /// where the name tells none.
    package func read(relativePath: String, rootName: String = "") -> NameReading {
        let components = relativePath.utf8.split(separator: UInt8(ascii: "/"))
        guard !components.isEmpty else { return .refused("the name is empty") }
        if components.contains(where: { Self.isIgnored(Substring($0)) }) { return .ignored }
        if components.contains(where: { $0.count > Self.longestName }) {
            return .refused("a name is longer than \(Self.longestName) bytes")
        }
        guard relativePath.unicodeScalars.allSatisfy(isPrintable) else {
            return .refused("the name holds characters that cannot be shown")
        }
        return read(components) { $0 > 0 ? String(Substring(components[0])) : rootName }
    }

    /// What the parts of a path say; `folder` names the run that so many folders above the pattern's give.
    private func read(_ components: [Substring.UTF8View], folder: (_ above: Int) -> String) -> NameReading {
        for alternative in alternatives {
            guard let (fields, above) = match(alternative, components) else { continue }
            if alternative.isPassedOver { return .ignored }
            guard let well = fields.well ?? alternative.well else { continue }
            return frame(fields, well, folder: folder(above))
        }
        return .refused(refusal)
    }

    /// Why a name is refused that the pattern does not read.
    package var refusal: String { "\(Self.misfit) \(printableName(description))" }

    /// The fields of the end of a path, and how many folders are above it.
    private func match(
        _ alternative: Alternative,
        _ components: [Substring.UTF8View]
    ) -> (NameFields, above: Int)? {
        for folders in alternative.folders.reversed() where folders < components.count {
            // Most patterns are of the name alone.
            let name = components[components.count - 1]
            let text =
                folders == 0
                ? Array(name)
                : Array(components.suffix(folders + 1).joined(separator: [UInt8(ascii: "/")]))
            var matcher = NameMatcher(alternative.parts, text)
            if let fields = matcher.match() { return (fields, components.count - folders - 1) }
        }
        return nil
    }

    private func frame(_ fields: NameFields, _ well: Well, folder: String) -> NameReading {
        let run = Self.text(fields.run ?? folder)
        guard !run.isEmpty, !run.utf8.starts(with: ".".utf8), run.contains(where: { $0 != " " }) else {
            return .refused("'\(printableName(run))' cannot be a run: it is empty or begins with a dot")
        }
        let view = FrameView(
            field: fields.field,
            channel: fields.channel.map(Self.text),
            plane: fields.plane
        )
        return .frame(FrameID(run: run, well: well, view: view, index: fields.index ?? 0))
    }

    /// Text as it is compared: one spelling of each accent.
    private static func text(_ name: String) -> String {
        name.utf8.allSatisfy { $0 < 0x80 } ? name : name.precomposedStringWithCanonicalMapping
    }

    /// How the reason begins why a name is refused that no pattern reads.
    private static let misfit = "the name does not fit the pattern"

    /// Whether a file or folder that was refused may be a frame, or hold some: a text file that fits no pattern is none.
    package static func mayBeFrame(_ name: String, refusedBecause reason: String) -> Bool {
        looksLikeFrame(name) || !reason.hasPrefix(misfit)
    }

    /// Whether a name has the extension of a TIFF file.
    package static func looksLikeFrame(_ name: String) -> Bool {
        [".tif", ".tiff"].contains { ending in
            name.utf8.suffix(ending.utf8.count).elementsEqual(ending.utf8, by: sameLetter)
        }
    }

    /// Whether a file or folder of this name is passed over without a word.
    static func isIgnored(_ name: Substring) -> Bool {
        let name = name.utf8
        guard let first = name.first, let last = name.last else { return false }
        // The last byte first: nearly no name has one of theirs.
        return first == UInt8(ascii: ".") || name.starts(with: "~$".utf8)
            || temporarySuffixes.contains { suffix in
                suffix.last.map { sameLetter($0, last) } == true
                    && name.suffix(suffix.count).elementsEqual(suffix, by: sameLetter)
            }
    }
}

/// The pattern of a system's names, by the name of the system.
package struct ReadyPattern: Sendable {
    /// The name that stands for the pattern.
    package let name: String
    /// Whose names these are.
    package let system: String
    /// The pattern.
    package let pattern: String
    /// A name that the system writes.
    package let example: String

    /// All ready patterns.
    package static let all = [
        ReadyPattern(
            name: "complexeye",
            system: "ComplexEye",
            pattern: "{run}_{well}_f{frame}.tif<f>",
            example: "01_B1_f100.tiff"
        ),
        ReadyPattern(
            name: "phenix",
            system: "Opera Phenix, Operetta (Harmony)",
            pattern:
                "<Images/>r{row}c{column}f{field}p{plane}<rc{number}>-ch{channel}sk{frame}fk{number}fl{number}.tif<f>",
            example: "Images/r02c03f01p01-ch1sk1fk1fl1.tiff"
        ),
        ReadyPattern(
            name: "incell",
            system: "IN Cell Analyzer",
            pattern:
                "<{run}_>{row} - {column}(<fld {field} >wv {channel}< wix {number}>< z {plane}>< time {frame}< - {number}ms>>).tif<f>",
            example: "A - 01(fld 1 wv UV - DAPI z 3 time 2 - 2636ms).tif"
        ),
        ReadyPattern(
            name: "imagexpress",
            system: "ImageXpress (MetaXpress)",
            // Wells are A01, on plates of 1536 wells AA01: a `w1` at the end is a channel.
            pattern: (["!*_thumb*.tif<f>"]
                + ["{well:3}", "{well:4}"].flatMap { well in
                    [
                        "<TimePoint_{frame}/>ZStep_{plane}/<{run}_>\(well)<_s{field}><_w{channel:1}><{guid}>.tif<f>",
                        "<TimePoint_{frame}/><{run}_>\(well)<_s{field}><_w{channel:1}><_z{plane}><{guid}>.tif<f>",
                    ]
                }).joined(separator: "|"),
            example: "TimePoint_1/plate_A01_s1_w1B71AE91C-75E6-426C-8B41-71A5693784E3.tif"
        ),
        ReadyPattern(
            name: "incucyte",
            system: "Incucyte",
            pattern: "{run}_{well}_{field}_{time}.tif<f>",
            example: "VID1234_A1_1_00d08h00m.tif"
        ),
        ReadyPattern(
            name: "yokogawa",
            system: "Yokogawa CellVoyager",
            pattern: "{run}_{well}_T{frame}F{field}L{number}A{number}Z{plane}C{channel}.tif<f>",
            example: "plate_A01_T0001F001L01A01Z01C01.tif"
        ),
        ReadyPattern(
            name: "micromanager",
            system: "Micro-Manager",
            pattern: "<{run}_>MMStack_{well}-Site_{field}<_{number}>.ome.tif<f>"
                + "|<{run}_>MMStack_Pos{field}<_{number}>.ome.tif<f>{well=A1}"
                + "|<{run}_>MMStack<_Default>.ome.tif<f>{well=A1}"
                + "|{well}<-Site_{field}>/img<_channel{channel}><_position{number}><_time{frame}><_z{plane}>.tif<f>"
                + "|{well}<-Site_{field}>/img_{frame:9}_{channel}_{plane:3}.tif<f>"
                + "|Pos{field}/img<_channel{channel}><_position{number}><_time{frame}><_z{plane}>.tif<f>{well=A1}"
                + "|Pos{field}/img_{frame:9}_{channel}_{plane:3}.tif<f>{well=A1}",
            example: "MMStack_A1-Site_0.ome.tif"
        ),
    ]

    /// The ready pattern of a name; `nil` for any other text.
    package static func named(_ name: String) -> ReadyPattern? { all.first { $0.name == name } }
}

/// Whether two bytes are the same, ASCII letters in either case.
func sameLetter(_ left: UInt8, _ right: UInt8) -> Bool {
    let lower = { (byte: UInt8) in
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }
    return lower(left) == lower(right)
}

/// What a file's name says.
package enum NameReading: Sendable, Equatable {
    /// The file shows this frame.
    case frame(FrameID)
    /// A hidden or temporary name, or one that the pattern passes over: nothing to report.
    case ignored
    /// Not a frame; the sentence says why and is safe to print.
    case refused(String)
}

/// Why a file-name pattern cannot be used.
package struct FramePatternError: Error, Sendable, Equatable, CustomStringConvertible {
    let pattern: String
    let detail: String

    /// The sentence.
    package var description: String { "file-name pattern '\(pattern)': \(detail)" }
}
