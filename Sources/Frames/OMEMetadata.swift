/// What the OME-XML of a TIFF file says about space and time, from the first `Pixels` element.
///
/// Entities are not expanded, save a number for the micro sign.
struct OMEMetadata: Equatable {
    var pixelSize: PixelSize?
    var timeInterval: Double?

    /// Reads the attributes of a `Pixels` element.
    init(pixels attributes: [String: String]) {
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
        timeInterval: Double?,
        notes: OMENotes? = nil
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
              <Image ID="Image:0"\(notes?.attribute ?? "")>
            \(notes?.beforePixels ?? "")    <Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="\(type)" SizeX="\(width)" \
            SizeY="\(height)" SizeZ="1" SizeC="1" SizeT="\(pages)"\(physical)>
                  <Channel ID="Channel:0:0" SamplesPerPixel="1"/>
                  <TiffData IFD="0" PlaneCount="\(pages)"/>
                </Pixels>\(notes?.afterPixels ?? "")
              </Image>\(notes?.afterImage ?? "")
            </OME>
            """
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
