package import Diffusion
import Plate
import Randomness
import Synchronization

/// The training crops of the `reference` profile: the middle of every frame, preprocessed once and kept in memory.
///
/// Published: curvature flow and rescale of the whole frame, then the centre crop of the window's size, with zeros around
/// what is smaller; no augmentation.
package final class CropSet: Sendable {
    /// Pixels per side of a crop.
    package let size: Int
    private let frames: FrameSet
    private let settings: ReferenceSettings
    private let crops = Mutex<[Int: [Float]]>([:])
    /// Memory for crops, in bytes; the published set of 8233 takes 1.2 GB.
    private static let memory = 4 << 30

    /// Crops of a set's frames.
    package init(frames: FrameSet, settings: ReferenceSettings) {
        self.frames = frames
        self.settings = settings
        size = settings.window
    }

    /// Number of crops, one a frame.
    package var count: Int { frames.count }

    /// A crop in [0, 1], row-major; a frame that cannot be read any more throws.
    package func crop(_ index: Int) throws(DataError) -> [Float] {
        if let known = crops.withLock({ $0[index] }) { return known }
        let made = settings.preprocessed(try frames.frame(index, keeping: false)).centreCrop(size).pixels
        crops.withLock { crops in
            let limit = Self.memory / (size * size * MemoryLayout<Float>.stride)
            if crops.count < max(limit, 1) { crops[index] = made }
        }
        return made
    }

    /// Steps that show every crop once.
    package func stepsPerEpoch(batch: Int) -> Int { (count + batch - 1) / batch }

    /// The crops of a step, one after another, in an order that is shuffled anew for each epoch.
    ///
    /// They follow from seed and step alone. The last batch of an epoch may be smaller.
    package func batch(step: Int, count batch: Int, seed: UInt64) throws(DataError) -> [Float] {
        let (epoch, position) = step.quotientAndRemainder(dividingBy: stepsPerEpoch(batch: batch))
        var random = SplitMix64(state: seed ^ UInt64(epoch &+ 1) &* 0xA24B_AED4_963E_E407)
        let order = (0..<count).shuffled(using: &random)
        var pixels: [Float] = []
        for index in order[position * batch..<min((position + 1) * batch, count)] {
            pixels += try crop(index)
        }
        return pixels
    }

    /// At most so many crops, spread evenly over the set, always the same.
    package func spread(_ limit: Int) throws(DataError) -> [[Float]] {
        var found: [[Float]] = []
        let number = min(limit, count)
        for index in 0..<number { found.append(try crop(index * count / number)) }
        return found
    }
}
