/// What the OME-XML of a TIFF file says about space and time, read by a small strict scanner.
///
/// Looks for the first `Pixels` element and reads its attributes; elements are never nested in memory,
/// entities are not expanded (save a number for the micro sign), and a document type declaration ends the
/// search.
struct OMEMetadata: Equatable {
    var pixelSize: PixelSize?
    var timeInterval: Double?

    init?(xml: String) {
        guard let attributes = XMLScanner.attributes(ofFirst: "Pixels", in: xml) else { return nil }
        func measure(_ name: String, units: [String: Double], standard: String) -> Double? {
            guard let text = attributes[name], let value = Double(text) else { return nil }
            let unit = attributes[name + "Unit"] ?? standard
            guard let factor = units[unit] else { return nil }
            let result = value * factor
            return result.isFinite && result > 0 ? result : nil
        }
        if let x = measure("PhysicalSizeX", units: Self.lengths, standard: "um"),
            let y = measure("PhysicalSizeY", units: Self.lengths, standard: "um")
        {
            pixelSize = PixelSize(x: x, y: y)
        }
        timeInterval = measure("TimeIncrement", units: Self.times, standard: "s")
    }

    /// In um; both micro signs of Unicode and the plain `um`.
    private static let lengths: [String: Double] = [
        "m": 1e6, "dm": 1e5, "cm": 1e4, "mm": 1e3, "\u{B5}m": 1, "\u{3BC}m": 1, "um": 1, "&#181;m": 1,
        "&#xB5;m": 1, "&#xb5;m": 1, "nm": 1e-3, "pm": 1e-6, "\u{C5}": 1e-4, "in": 25_400,
    ]

    private static let times: [String: Double] = [
        "d": 86_400, "h": 3_600, "min": 60, "s": 1, "ms": 1e-3, "\u{B5}s": 1e-6, "\u{3BC}s": 1e-6,
        "us": 1e-6, "&#181;s": 1e-6, "&#xB5;s": 1e-6, "&#xb5;s": 1e-6, "ns": 1e-9,
    ]

    /// The OME-XML of one grey time series, in plain ASCII.
    static func xml(
        width: Int,
        height: Int,
        pages: Int,
        type: String,
        pixelSize: PixelSize?,
        timeInterval: Double?
    ) -> String {
        let schema = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
        var physical = ""
        if let pixelSize {
            physical += " PhysicalSizeX=\"\(pixelSize.x)\" PhysicalSizeXUnit=\"&#181;m\""
            physical += " PhysicalSizeY=\"\(pixelSize.y)\" PhysicalSizeYUnit=\"&#181;m\""
        }
        if let timeInterval { physical += " TimeIncrement=\"\(timeInterval)\" TimeIncrementUnit=\"s\"" }
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <OME xmlns="\(schema)" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
            xsi:schemaLocation="\(schema) \(schema)/ome.xsd" Creator="autoqc">
              <Image ID="Image:0">
                <Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="\(type)" SizeX="\(width)" \
            SizeY="\(height)" SizeZ="1" SizeC="1" SizeT="\(pages)"\(physical)>
                  <Channel ID="Channel:0:0" SamplesPerPixel="1"/>
                  <TiffData IFD="0" PlaneCount="\(pages)"/>
                </Pixels>
              </Image>
            </OME>
            """
    }
}

/// Finds one start tag in XML and reads its attributes, in one pass and without recursion.
struct XMLScanner {
    private static let stops: [UInt8] = [9, 10, 13, 32] + Array("=/><\"'".utf8)

    private let bytes: ArraySlice<UInt8>
    private var at: Int

    /// The attributes of the first element of that local name, whatever its prefix; `nil` where there is none
    /// before the text stops being well-formed.
    static func attributes(ofFirst name: String, in xml: String) -> [String: String]? {
        let bytes = ArraySlice(xml.utf8)
        var scanner = XMLScanner(bytes: bytes, at: bytes.startIndex)
        while let open = scanner.position(of: UInt8(ascii: "<")) {
            scanner.at = open + 1
            if scanner.skip("!--") {
                guard scanner.pass("-->") else { return nil }
            } else if scanner.skip("![CDATA[") {
                guard scanner.pass("]]>") else { return nil }
            } else if scanner.skip("?") {
                guard scanner.pass("?>") else { return nil }
            } else if scanner.skip("!") {
                return nil
            } else if scanner.skip("/") {
                guard scanner.pass(">") else { return nil }
            } else {
                let tag = scanner.word()
                guard !tag.isEmpty, let attributes = scanner.attributes() else { return nil }
                if tag.split(separator: ":").last.map(String.init) == name { return attributes }
            }
        }
        return nil
    }

    /// Reads `name="value"` pairs up to the end of the start tag; a name given twice is an error.
    private mutating func attributes() -> [String: String]? {
        var found: [String: String] = [:]
        while true {
            skipSpace()
            if skip("/>") || skip(">") { return found }
            let name = word()
            skipSpace()
            guard !name.isEmpty, found[name] == nil, skip("=") else { return nil }
            skipSpace()
            guard let quote = next, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
                return nil
            }
            at += 1
            guard let end = position(of: quote) else { return nil }
            let value = bytes[at..<end]
            guard !value.contains(UInt8(ascii: "<")) else { return nil }
            found[name] = String(decoding: value, as: UTF8.self)
            at = end + 1
        }
    }

    private var next: UInt8? { at < bytes.endIndex ? bytes[at] : nil }

    private func position(of byte: UInt8) -> Int? { bytes[at...].firstIndex(of: byte) }

    private mutating func skip(_ text: String) -> Bool {
        guard bytes[at...].starts(with: text.utf8) else { return false }
        at += text.utf8.count
        return true
    }

    /// Goes behind the next occurrence of a text.
    private mutating func pass(_ text: String) -> Bool {
        while at < bytes.endIndex {
            if skip(text) { return true }
            at += 1
        }
        return false
    }

    private mutating func skipSpace() {
        while let byte = next, [9, 10, 13, 32].contains(byte) { at += 1 }
    }

    /// Everything up to white space or one of `=`, `/`, `>`, `<`, quotes.
    private mutating func word() -> String {
        let end = bytes[at...].firstIndex { Self.stops.contains($0) } ?? bytes.endIndex
        defer { at = end }
        return String(decoding: bytes[at..<end], as: UTF8.self)
    }
}

/// How large a pixel is in the sample, in um.
package struct PixelSize: Sendable, Equatable {
    /// Width of a pixel, in um.
    package let x: Double
    /// Height of a pixel, in um.
    package let y: Double

    /// Takes positive, finite sizes in um; others are a programmer's mistake.
    package init(x: Double, y: Double) {
        precondition(x > 0 && y > 0 && x.isFinite && y.isFinite, "a pixel is not \(x) x \(y) um large")
        self.x = x
        self.y = y
    }
}
