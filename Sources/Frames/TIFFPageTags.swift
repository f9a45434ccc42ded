/// Reads the tags of one page, each against the list of supported kinds.
struct TIFFPageTags {
    let directory: TIFFDirectory
    let number: Int
    let file: TIFFFile

    func compression() throws(TIFFError) -> TIFFCompression {
        let code = try directory.number(.compression) ?? 1
        guard let compression = TIFFCompression(rawValue: UInt16(clamping: code)) else {
            let names: [UInt64: String] = [
                2: "CCITT", 3: "CCITT fax", 4: "CCITT fax", 6: "JPEG", 7: "JPEG", 34712: "JPEG 2000",
                34925: "LZMA", 50001: "WebP", 50002: "JPEG XL",
            ]
            throw unsupported("is compressed with \(names[code] ?? "method \(code)")")
        }
        return compression
    }

    func size(limits: TIFFLimits) throws(TIFFError) -> (width: Int, height: Int) {
        guard let width = try directory.number(.imageWidth), let height = try directory.number(.imageLength),
            width > 0, height > 0
        else { throw file.error(.damaged, "page \(number) has no width or no height") }
        guard width <= UInt64(limits.maximumWidth), height <= UInt64(limits.maximumHeight),
            width * height <= UInt64(limits.maximumPixels)
        else {
            throw file.error(
                .tooLarge,
                "page \(number) claims \(width) x \(height) pixels, more than \(limits.maximumWidth) x "
                    + "\(limits.maximumHeight) or \(limits.maximumPixels) in all"
            )
        }
        guard try directory.number(.imageDepth) ?? 1 == 1 else { throw unsupported("is a volume") }
        return (Int(width), Int(height))
    }

    func samples() throws(TIFFError) -> Int {
        let samples = try directory.number(.samplesPerPixel) ?? 1
        guard samples >= 1, samples <= 4 else { throw unsupported("has \(samples) samples a pixel") }
        return Int(samples)
    }

    func sampleKind(samples: Int) throws(TIFFError) -> TIFFPage.SampleKind {
        let bits = try same(.bitsPerSample, samples: samples)
        let format = try same(.sampleFormat, samples: samples)
        switch (format, bits) {
        case (1, 8): return .uint8
        case (1, 16): return .uint16
        case (1, 32): return .uint32
        case (3, 32): return .float32
        case (3, 64): return .float64
        default:
            let names: [UInt64: String] = [
                1: "unsigned", 2: "signed", 3: "float", 5: "complex integer", 6: "complex",
            ]
            throw unsupported("has \(names[format] ?? "untyped") samples of \(bits) bit")
        }
    }

    /// The value of a tag that is given once for each sample; 1, the default, where it is missing.
    private func same(_ tag: TIFFTag, samples: Int) throws(TIFFError) -> UInt64 {
        let values = try directory.numbers(tag, limit: 65_536).prefix(samples)
        guard let first = values.first else { return 1 }
        guard values.allSatisfy({ $0 == first }) else { throw unsupported("has samples of differing kinds") }
        return first
    }

    /// Grey, or RGB that may turn out grey; a fourth sample of RGB is transparency and is not looked at.
    func colour(samples: Int, kind: TIFFPage.SampleKind) throws(TIFFError) -> (isRGB: Bool, isInverted: Bool)
    {
        switch (try directory.number(.photometric), samples) {
        case (0, 1) where kind.isFloat: throw unsupported("is float with white at zero, which has no black")
        case (0, 1): return (false, true)
        case (1, 1): return (false, false)
        case (2, 3...4): return (true, false)
        case (0, _), (1, _): throw unsupported("has \(samples) channels")
        case (2, _): throw unsupported("is RGB with \(samples) samples")
        case (3, _): throw unsupported("is coloured by a palette")
        case (5, _): throw unsupported("is CMYK")
        case (6, _): throw unsupported("is YCbCr colour")
        case (nil, _): throw unsupported("does not say whether it is grey or colour")
        case (let other?, _): throw unsupported("has the photometric interpretation \(other)")
        }
    }

    func isPlanar(samples: Int) throws(TIFFError) -> Bool {
        switch try directory.number(.planarConfiguration) ?? 1 {
        case 1: return false
        case 2: return samples > 1
        case let other: throw file.error(.damaged, "page \(number) has the planar configuration \(other)")
        }
    }

    /// Width and height of a tile, or of a strip cut to the page.
    func chunkSize(width: Int, height: Int, limits: TIFFLimits) throws(TIFFError) -> (width: Int, height: Int)
    {
        guard directory.has(.tileOffsets) else {
            let rows = try directory.number(.rowsPerStrip) ?? UInt64(height)
            guard rows > 0 else { throw file.error(.damaged, "page \(number) has strips of no rows") }
            return (width, Int(min(rows, UInt64(height))))
        }
        guard let tileWidth = try directory.number(.tileWidth),
            let tileHeight = try directory.number(.tileLength),
            tileWidth > 0, tileHeight > 0
        else { throw file.error(.damaged, "page \(number) has tiles of no size") }
        guard tileWidth <= 1 << 20, tileHeight <= 1 << 20 else {
            throw file.error(.tooLarge, "page \(number) claims tiles of \(tileWidth) x \(tileHeight) pixels")
        }
        return (Int(tileWidth), Int(tileHeight))
    }

    func checkPredictor(kind: TIFFPage.SampleKind, compression: TIFFCompression) throws(TIFFError) {
        guard [.lzw, .deflate, .oldDeflate, .zstd].contains(compression) else { return }
        let predictor = try directory.number(.predictor) ?? 1
        guard predictor == 1 || predictor == 2 || (predictor == 3 && kind.isFloat) else {
            throw unsupported("has the predictor \(predictor)")
        }
    }

    func unsupported(_ what: String) -> TIFFError { file.error(.unsupported, "page \(number) \(what)") }
}
