import Networks
import Tensors
import Testing

struct PublishedLayoutTests {
    /// A tensor whose values are their own positions, so that any move shows.
    private func counting(_ shape: [Int]) -> Tensor {
        Tensor((0..<shape.reduce(1, *)).map { Float($0) }, shape: shape)
    }

    @Test func convolutionWeightsPutChannelsLast() {
        let ours = PublishedLayout.convolution.converted(from: counting([2, 3, 1, 2]))
        #expect(ours.shape == [2, 1, 2, 3])
        #expect(ours.values == [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11])
    }

    @Test func linearLayersFaceAnImageWithChannelsLast() {
        let rows = PublishedLayout.rows(channels: 2, height: 1, width: 3)
        let columns = PublishedLayout.columns(channels: 2, height: 1, width: 3)
        #expect(rows.converted(from: counting([6])).values == [0, 3, 1, 4, 2, 5])
        #expect(
            rows.converted(from: counting([6, 2])).values == [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]
        )
        #expect(
            columns.converted(from: counting([2, 6])).values == [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]
        )
    }

    @Test(arguments: [
        (PublishedLayout.same, [5, 3]), (.convolution, [4, 3, 5, 2]), (.pointwise, [6, 4, 1]),
        (.rows(channels: 2, height: 3, width: 5), [30, 4]), (.rows(channels: 2, height: 3, width: 5), [30]),
        (.columns(channels: 3, height: 2, width: 4), [7, 24]),
    ])
    func whatIsExportedIsWhatWasTaken(layout: PublishedLayout, shape: [Int]) {
        let published = counting(shape)
        let ours = layout.converted(from: published)
        #expect(layout.publishedShape(of: ours.shape) == shape)
        #expect(layout.published(from: ours).shape == shape)
        #expect(layout.published(from: ours).values == published.values)
    }
}
