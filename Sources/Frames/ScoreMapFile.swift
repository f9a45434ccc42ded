package import Plate

/// Score maps as files: TIFF of 16-bit grey, Deflate, `grey / 65535` is the residual.
///
/// Residuals of normalised frames lie in [0, 1], so one scale serves all files and none has to be told; what lies above
/// is cut to 1. A residual is off by 1/131070 at most. Any program for microscopy shows the file.
package enum ScoreMapFile {
    private static let white: Float = 65_535

    /// Writes a map, with the pixel size of its frame in um; throws `cannotWrite`.
    package static func write(_ map: ScoreMap, pixelSize: PixelSize?, to path: String) throws(TIFFError) {
        let writer = try TIFFWriter(
            path: path,
            height: map.height,
            width: map.width,
            type: .uint16,
            compression: .fastDeflate,
            pixelSize: pixelSize
        )
        try writer.append(
            Frame(height: map.height, width: map.width, pixels: map.values.map { $0 * white })
        )
    }

    /// Reads a map that was written so; throws what `TIFFReader` throws.
    package static func read(path: String) throws(TIFFError) -> ScoreMap {
        let frame = try TIFFReader(path: path).frame(page: 0)
        return ScoreMap(height: frame.height, width: frame.width, values: frame.pixels.map { $0 / white })
    }
}
