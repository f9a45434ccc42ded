/// A number as TIFF files store it, and its grey value.
protocol TIFFSample: BitwiseCopyable, Equatable {
    static var zero: Self { get }
    /// The value itself, or its distance from white where `isInverted` (whole numbers only).
    func grey(isInverted: Bool) -> Float
}

extension TIFFSample where Self: FixedWidthInteger & UnsignedInteger {
    func grey(isInverted: Bool) -> Float { Float(isInverted ? ~self : self) }
}

extension UInt8: TIFFSample {}
extension UInt16: TIFFSample {}
extension UInt32: TIFFSample {}

extension Float: TIFFSample {
    func grey(isInverted: Bool) -> Float { self }
}

extension Double: TIFFSample {
    func grey(isInverted: Bool) -> Float { Float(self) }
}

/// Puts the strips or tiles of a checked page together.
struct TIFFDecoder {
    let page: TIFFPage
    let handle: TIFFHandle
    let file: TIFFFile
    let timeLimit: Duration

    /// `height * width` grey values, row by row.
    func pixels<Sample: TIFFSample>(from: Sample.Type) throws(TIFFError) -> [Float] {
        var pixels = [Float](repeating: 0, count: page.width * page.height)
        var chunk = [Sample](repeating: .zero, count: page.chunkSamples)
        let deadline = ContinuousClock.now + timeLimit
        // Transparency, the fourth plane, is never read.
        for plane in 0..<(page.isPlanar ? min(page.samples, 3) : 1) {
            for index in 0..<page.across * page.down {
                let rows = page.rows(inChunkRow: index / page.across)
                try handle.decode(
                    chunk: plane * page.across * page.down + index,
                    of: page,
                    into: &chunk,
                    count: rows * page.chunkWidth * page.stride
                )
                guard ContinuousClock.now < deadline else {
                    throw file.error(
                        .tooSlow,
                        "page \(page.number) is not decoded after \(timeLimit.components.seconds) s"
                    )
                }
                let isGrey =
                    plane == 0
                    ? place(chunk, at: index, in: &pixels) : agrees(chunk, at: index, with: pixels)
                guard isGrey else {
                    throw file.error(.unsupported, "page \(page.number) is in colour")
                }
            }
        }
        guard !page.kind.isFloat || pixels.allSatisfy(\.isFinite) else {
            throw file.error(.damaged, "page \(page.number) holds values that are not finite")
        }
        return pixels
    }

    /// Copies the visible part of a strip or tile; false where it is in colour.
    private func place<Sample: TIFFSample>(_ chunk: [Sample], at index: Int, in pixels: inout [Float]) -> Bool
    {
        let left = index % page.across * page.chunkWidth
        let top = index / page.across * page.chunkHeight
        let columns = min(page.chunkWidth, page.width - left)
        let (stride, isInverted, compares) = (page.stride, page.isInverted, page.isRGB && !page.isPlanar)
        for row in 0..<min(page.chunkHeight, page.height - top) {
            let target = (top + row) * page.width + left
            let source = row * page.chunkWidth * stride
            if !compares, stride == 1 {
                copy(chunk, from: source, to: &pixels, at: target, count: columns)
                continue
            }
            for column in 0..<columns {
                let at = source + column * stride
                if compares, chunk[at] != chunk[at + 1] || chunk[at] != chunk[at + 2] { return false }
                pixels[target + column] = chunk[at].grey(isInverted: isInverted)
            }
        }
        return true
    }

    /// Grey values of samples that lie one behind another: most files by far, and many pixels at once.
    private func copy<Sample: TIFFSample>(
        _ chunk: [Sample],
        from source: Int,
        to pixels: inout [Float],
        at target: Int,
        count: Int
    ) {
        precondition(
            source >= 0 && source + count <= chunk.count && target >= 0 && target + count <= pixels.count,
            "\(count) samples from \(source) of \(chunk.count) to \(target) of \(pixels.count)"
        )
        unsafe chunk.withUnsafeBufferPointer { chunk in
            unsafe pixels.withUnsafeMutableBufferPointer { pixels in
                guard let from = chunk.baseAddress, let to = pixels.baseAddress else { return }
                let (samples, greys) = unsafe (from + source, to + target)
                if page.isInverted {
                    for index in 0..<count { unsafe greys[index] = samples[index].grey(isInverted: true) }
                } else {
                    for index in 0..<count { unsafe greys[index] = samples[index].grey(isInverted: false) }
                }
            }
        }
    }

    /// Whether the visible part of a strip or tile of a later plane equals the first plane.
    private func agrees<Sample: TIFFSample>(_ chunk: [Sample], at index: Int, with pixels: [Float]) -> Bool {
        let left = index % page.across * page.chunkWidth
        let top = index / page.across * page.chunkHeight
        let columns = min(page.chunkWidth, page.width - left)
        for row in 0..<min(page.chunkHeight, page.height - top) {
            let target = (top + row) * page.width + left
            let source = row * page.chunkWidth
            for column in 0..<columns
            where pixels[target + column] != chunk[source + column].grey(isInverted: false) { return false }
        }
        return true
    }
}
