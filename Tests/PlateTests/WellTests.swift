import Plate
import Testing

struct WellTests {
    @Test(arguments: [
        ("A1", "A01"), ("b01", "B01"), ("P24", "P24"), ("AA12", "AA12"), ("AF48", "AF48"),
    ])
    func readsWhatPlatesPrint(name: String, canonical: String) {
        #expect(Well(name)?.description == canonical)
        #expect(Well(canonical) == Well(name))
    }

    @Test(arguments: ["", "A", "1", "A0", "A49", "AG1", "A-1", "A1 ", "Ä1", "A001", "1A", "AAA1"])
    func refusesWhatNoPlateHas(name: String) {
        #expect(Well(name) == nil)
    }

    @Test func ordersAsAPlateIsRead() {
        let wells = ["B1", "A10", "AA1", "A2", "Z1"].compactMap { Well($0) }.sorted()
        #expect(wells.map(\.description) == ["A02", "A10", "B01", "Z01", "AA01"])
    }
}
