import Foundation

/// Which file systems of `/etc/fstab` are not mounted: what is written to their places lands on another disk.
enum MountTable {
    /// The place of a file system that is to hold a path and is not mounted; `nil` for none.
    ///
    /// Swap, and the root itself, are no places.
    static func missing(
        for path: String,
        wanted: String = "/etc/fstab",
        mounted: String = "/proc/self/mounts"
    ) -> String? {
        let isMounted = Set(places(in: mounted))
        return places(in: wanted).filter { place in
            let inside = place.hasSuffix("/") ? place : place + "/"
            return place != "/" && (path == place || path.hasPrefix(inside)) && !isMounted.contains(place)
        }.max { $0.utf8.count < $1.utf8.count }
    }

    /// The second column of a table of mounts; none where it cannot be read.
    private static func places(in file: String) -> [String] {
        guard let data = FileManager.default.contents(atPath: file) else { return [] }
        return String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).compactMap { line in
            let columns = line.split { $0 == " " || $0 == "\t" }
            guard columns.count > 2, !columns[0].hasPrefix("#"), columns[1].hasPrefix("/") else { return nil }
            return unescaped(columns[1])
        }
    }

    /// A space in a place is written as `\040`.
    private static func unescaped(_ place: Substring) -> String {
        [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")].reduce(String(place)) {
            $0.replacing($1.0, with: $1.1)
        }
    }
}
