/// Regions of a mask as a GeoJSON feature collection that QuPath, Fiji and napari plug-ins read.
///
/// Each region is a `Feature` with a `Polygon` in pixel coordinates (y downwards) and the properties
/// `objectType` (`annotation`) and `classification` (`name`, `color`), as QuPath writes them. No times and no
/// paths: the same mask gives the same bytes.
enum GeoJSON {
    /// The classification's colour: red, green, blue.
    private static let color = [213, 94, 0]

    static func text(_ outline: MaskOutline, classification: String) -> String {
        let features = outline.regions.map { region in
            let rings = region.rings.map { ring in
                "[" + ring.map { "[\($0.x),\($0.y)]" }.joined(separator: ",") + "]"
            }
            return """
                {"type":"Feature","geometry":{"type":"Polygon","coordinates":[\(rings.joined(separator: ","))]},\
                "properties":{"objectType":"annotation","classification":{"name":\(string(classification)),\
                "color":\(color)},"pixels":\(region.pixels)}}
                """
        }
        return "{\"type\":\"FeatureCollection\",\"features\":[\n" + features.joined(separator: ",\n")
            + "\n]}\n"
    }

    private static func string(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"": return "\\\""
            case "\\": return "\\\\"
            case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}":
                let digits = String(scalar.value, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: return String(scalar)
            }
        }
        return "\"" + escaped.joined() + "\""
    }
}
