/// A number as TIFF files store it, and its grey value.
protocol TIFFSample: BitwiseCopyable, Equatable {
    static var zero: Self { get }
    /// The value itself.
    var grey: Float { get }
    /// How far the value lies below the sample that is black, where zero is white.
    func grey(below white: UInt32) -> Float
    /// The value in the other byte order.
    var swapped: Self { get }
}

extension TIFFSample where Self: FixedWidthInteger {
    var grey: Float { Float(self) }
    func grey(below white: UInt32) -> Float { Float(Int64(white) - Int64(self)) }
    var swapped: Self { byteSwapped }
}

extension UInt8: TIFFSample {}
extension UInt16: TIFFSample {}
extension UInt32: TIFFSample {}
extension Int8: TIFFSample {}
extension Int16: TIFFSample {}
extension Int32: TIFFSample {}

extension TIFFSample where Self: BinaryFloatingPoint {
    var grey: Float { Float(self) }
    func grey(below white: UInt32) -> Float { Float(white) - Float(self) }
}

extension Float16: TIFFSample {
    var swapped: Float16 { Float16(bitPattern: bitPattern.byteSwapped) }
}

extension Float: TIFFSample {
    var swapped: Float { Float(bitPattern: bitPattern.byteSwapped) }
}

extension Double: TIFFSample {
    var swapped: Double { Double(bitPattern: bitPattern.byteSwapped) }
}

/// Puts the strips or tiles of a checked page together.
struct TIFFDecoder {
    let page: TIFFPage
    let isLittleEndian: Bool
    /// For compressed pages.
    let handle: TIFFHandle?
    let file: TIFFFile
    let timeLimit: Duration

    /// `height * width` grey values, row by row.
    func pixels() throws(TIFFError) -> [Float] {
        switch (page.format.number, page.format.size) {
        case (.unsigned, 1): try pixels(from: UInt8.self)
        case (.unsigned, 2): try pixels(from: UInt16.self)
        case (.unsigned, _): try pixels(from: UInt32.self)
        case (.signed, 1): try pixels(from: Int8.self)
        case (.signed, 2): try pixels(from: Int16.self)
        case (.signed, _): try pixels(from: Int32.self)
        case (.float, 2): try pixels(from: Float16.self)
        case (.float, 4): try pixels(from: Float.self)
        case (.float, _): try pixels(from: Double.self)
        }
    }

    private func pixels<Sample: TIFFSample>(from: Sample.Type) throws(TIFFError) -> [Float] {
        var pixels = [Float](repeating: 0, count: page.width * page.height)
        var chunk = [Sample](repeating: .zero, count: page.chunkSamples)
        let deadline = ContinuousClock.now + timeLimit
        // Samples that need not agree, as transparency, are never read.
        for plane in 0..<(page.isPlanar ? page.agreeing : 1) {
            for index in 0..<page.across * page.down {
                try read(plane * page.across * page.down + index, into: &chunk)
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
                    throw page.isRGB
                        ? file.error(.colour, "page \(page.number) is in colour")
                        : file.error(
                            .layout,
                            "page \(page.number) has \(page.samples) samples a pixel that differ"
                        )
                }
            }
        }
        // False for NaN, too.
        guard page.format.number != .float || pixels.allSatisfy({ abs($0) <= Self.largestGrey }) else {
            let what =
                pixels.allSatisfy(\.isFinite)
                ? "grey values beyond \(Self.largestGrey), which no camera gives"
                : "values that are not finite"
            throw file.error(.damaged, "page \(page.number) holds \(what)")
        }
        return pixels
    }

    /// Squares of larger values, summed over a frame, are beyond what a 32-bit float holds.
    private static let largestGrey: Float = 1e12

    /// Brings a strip or tile into memory, decompressed, in this machine's byte order, a sample in each element.
    private func read<Sample: TIFFSample>(_ index: Int, into chunk: inout [Sample]) throws(TIFFError) {
        let count = page.decodedBytes(ofChunk: index)
        guard !page.format.isPacked else {
            var bytes = [UInt8](repeating: 0, count: count)
            try load(index, into: &bytes, count: count)
            return unpack(bytes, into: &chunk)
        }
        try load(index, into: &chunk, count: count)
        // libtiff gives this machine's order; what lies in the file plain has the file's.
        if handle == nil, isLittleEndian != TIFFFormat.isMachineLittleEndian {
            for position in 0..<count / page.format.size { chunk[position] = chunk[position].swapped }
        }
    }

    private func load<Sample: BitwiseCopyable>(
        _ index: Int,
        into chunk: inout [Sample],
        count: Int
    ) throws(TIFFError) {
        if let handle { return try handle.decode(chunk: index, of: page, into: &chunk, bytes: count) }
        let what = "\(page.areTiles ? "tile" : "strip") \(index) of page \(page.number)"
        try file.read(at: page.offsets[index], into: &chunk, bytes: count, of: what)
        if page.isBitReversed { reverseBits(of: &chunk, bytes: count) }
    }

    /// Turns every byte around, as the fill order asks for.
    private func reverseBits<Sample: BitwiseCopyable>(of chunk: inout [Sample], bytes: Int) {
        unsafe chunk.withUnsafeMutableBytes { buffer in
            for index in 0..<min(bytes, buffer.count) {
                var byte = unsafe buffer[index]
                byte = byte >> 4 | byte << 4
                byte = (byte & 0xCC) >> 2 | (byte & 0x33) << 2
                unsafe buffer[index] = (byte & 0xAA) >> 1 | (byte & 0x55) << 1
            }
        }
    }

    /// Spreads samples of some bits over elements of their own; each row begins with a new byte, the highest bit first.
    private func unpack<Sample: TIFFSample>(_ bytes: [UInt8], into chunk: inout [Sample]) {
        let (bits, columns) = (page.format.bits, page.chunkWidth * page.stride)
        let rowBytes = page.rowBytes
        unsafe chunk.withUnsafeMutableBytes { target in
            for row in 0..<bytes.count / rowBytes {
                var (pending, held, next) = (0, 0, row * rowBytes)
                for column in 0..<columns {
                    while held < bits {
                        pending = (pending << 8 | Int(bytes[next])) & 0xFF_FFFF
                        held += 8
                        next += 1
                    }
                    held -= bits
                    let value = pending >> held & (1 << bits - 1)
                    let at = row * columns + column
                    if MemoryLayout<Sample>.size == 1 {
                        unsafe target[at] = UInt8(truncatingIfNeeded: value)
                    } else {
                        unsafe target.storeBytes(
                            of: UInt16(truncatingIfNeeded: value),
                            toByteOffset: 2 * at,
                            as: UInt16.self
                        )
                    }
                }
            }
        }
    }

    /// Copies the visible part of a strip or tile; false where it is in colour.
    private func place<Sample: TIFFSample>(_ chunk: [Sample], at index: Int, in pixels: inout [Float]) -> Bool
    {
        let left = index % page.across * page.chunkWidth
        let top = index / page.across * page.chunkHeight
        let columns = min(page.chunkWidth, page.width - left)
        let (stride, white, agreeing) = (page.stride, page.white, page.isPlanar ? 1 : page.agreeing)
        for row in 0..<min(page.chunkHeight, page.height - top) {
            let target = (top + row) * page.width + left
            let source = row * page.chunkWidth * stride
            if agreeing == 1, stride == 1 {
                copy(chunk, from: source, to: &pixels, at: target, count: columns)
                continue
            }
            for column in 0..<columns {
                let at = source + column * stride
                for sample in 1..<max(agreeing, 1) where chunk[at] != chunk[at + sample] { return false }
                pixels[target + column] = white.map { chunk[at].grey(below: $0) } ?? chunk[at].grey
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
                if let white = page.white {
                    for index in 0..<count { unsafe greys[index] = samples[index].grey(below: white) }
                } else {
                    for index in 0..<count { unsafe greys[index] = samples[index].grey }
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
            for column in 0..<columns {
                let sample = chunk[source + column]
                let grey = page.white.map { sample.grey(below: $0) } ?? sample.grey
                guard pixels[target + column] == grey else { return false }
            }
        }
        return true
    }
}
