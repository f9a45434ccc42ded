/// Notes on a frame in the OME-XML of its file: a name, words with values, and regions.
///
/// OMERO shows the words as key-value pairs, and the regions as polygons over the image.
package struct OMENotes: Sendable {
    /// A region.
    package struct Region: Sendable {
        /// Its name.
        package let name: String
        /// Red, green and blue.
        package let colour: [Int]
        /// The corners of its outline, in pixels.
        package let corners: [(x: Int, y: Int)]

        /// Gathers a region.
        package init(name: String, colour: [Int], corners: [(x: Int, y: Int)]) {
            (self.name, self.colour, self.corners) = (name, colour, corners)
        }
    }

    private let name: String
    private let acquired: String?
    private let words: [(key: String, value: String)]
    private let regions: [Region]

    /// The space of names in which OMERO's own clients keep key-value pairs, which people may then change there.
    private static let namespace = "openmicroscopy.org/omero/client/mapAnnotation"

    /// Gathers the notes; `acquired` is a time as ISO 8601 writes it.
    package init(
        name: String,
        acquired: String?,
        words: [(key: String, value: String)],
        regions: [Region]
    ) {
        (self.name, self.acquired) = (name, acquired)
        (self.words, self.regions) = (words, regions)
    }

    /// The attribute of the image with its name.
    var attribute: String { " Name=\"\(Self.text(name))\"" }

    /// The elements of the image before its pixels.
    var beforePixels: String {
        acquired.map { "    <AcquisitionDate>\(Self.text($0))</AcquisitionDate>\n" } ?? ""
    }

    /// The elements of the image behind its pixels.
    var afterPixels: String {
        let references = regions.indices.map { "\n    <ROIRef ID=\"ROI:\($0)\"/>" }
        return references.joined() + (words.isEmpty ? "" : "\n    <AnnotationRef ID=\"Annotation:0\"/>")
    }

    /// The elements behind the image.
    var afterImage: String {
        let pairs = words.map { "<M K=\"\(Self.text($0.key))\">\(Self.text($0.value))</M>" }
        let annotations =
            words.isEmpty
            ? ""
            : """

              <StructuredAnnotations>
                <MapAnnotation ID="Annotation:0" Namespace="\(Self.namespace)"><Value>\(pairs.joined())</Value></MapAnnotation>
              </StructuredAnnotations>
            """
        return annotations + regions.enumerated().map(Self.element).joined()
    }

    private static func element(_ number: Int, _ region: Region) -> String {
        let points = region.corners.map { "\($0.x),\($0.y)" }.joined(separator: " ")
        let colour = Int32(
            truncatingIfNeeded: region.colour.reduce(0) { $0 << 8 | $1 } << 8 | 255
        )
        let name = text(region.name)
        return """

              <ROI ID="ROI:\(number)" Name="\(name)">
                <Union>
                  <Polygon ID="Shape:\(number)" Text="\(name)" StrokeColor="\(colour)" TheT="0" TheZ="0" Points="\(points)"/>
                </Union>
              </ROI>
            """
    }

    /// Text for XML, in ASCII: tags of TIFF files have no other.
    ///
    /// Characters that XML does not have are left out.
    private static func text(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "\"": "&quot;"
            case " "..."~": String(scalar)
            case "\t", "\n", "\r", "\u{A0}"..."\u{FFFD}", "\u{10000}"...: "&#\(scalar.value);"
            default: ""
            }
        }.joined()
    }
}
