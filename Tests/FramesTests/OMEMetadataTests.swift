import Testing

@testable import Frames

struct OMEMetadataTests {
    @Test(arguments: [
        ("<Pixels PhysicalSizeX='0.5' PhysicalSizeY='0.25'/>", 0.5, 0.25),
        (
            "<Pixels PhysicalSizeX=\"500\" PhysicalSizeXUnit=\"nm\" PhysicalSizeY=\"0.5\" "
                + "PhysicalSizeYUnit=\"mm\">",
            0.5, 500
        ),
        (
            "<a:Pixels PhysicalSizeX='1' PhysicalSizeXUnit='\u{B5}m' PhysicalSizeY='2' "
                + "PhysicalSizeYUnit='\u{3BC}m'>",
            1, 2
        ),
        (
            "<?xml?><!-- <Pixels> --><OME a = 'b > c'><Pixels PhysicalSizeX='1' PhysicalSizeXUnit='&#181;m' "
                + "PhysicalSizeY='2e0'/>", 1, 2
        ),
        ("<![CDATA[<Pixels]]><Pixels PhysicalSizeX='1' PhysicalSizeY='1'/><Pixels PhysicalSizeX='9'/>", 1, 1),
    ])
    func pixelSizesAreRead(xml: String, x: Double, y: Double) {
        #expect(pixels(of: xml)?.pixelSize == PixelSize(x: x, y: y))
    }

    @Test(arguments: [
        ("1.5", "", 1.5), ("20", " TimeIncrementUnit='ms'", 0.02), ("2", " TimeIncrementUnit='min'", 120),
    ])
    func timesAreRead(value: String, unit: String, seconds: Double) {
        #expect(pixels(of: "<Pixels TimeIncrement='\(value)'\(unit)/>")?.timeInterval == seconds)
    }

    @Test(arguments: [
        "", "<", "<<<<", "plain text", "<Pixels", "<Pixels PhysicalSizeX=", "<Pixels PhysicalSizeX='1",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><Pixels PhysicalSizeX='1' PhysicalSizeY='1'/>", "<!-- <Pixels/>",
        "<Pixels PhysicalSizeX='0' PhysicalSizeY='1'/>", "<Pixels PhysicalSizeX='-1' PhysicalSizeY='1'/>",
        "<Pixels PhysicalSizeX='inf' PhysicalSizeY='1'/>", "<Pixels PhysicalSizeX='nan' PhysicalSizeY='1'/>",
        "<Pixels PhysicalSizeX='&one;' PhysicalSizeY='1'/>",
        "<Pixels PhysicalSizeX='1' PhysicalSizeX='2' PhysicalSizeY='1'/>",
        "<Pixels PhysicalSizeX='1' PhysicalSizeXUnit='furlong' PhysicalSizeY='1'/>",
        "<Pixels PhysicalSizeX='1'/>",
        "<Pixels PhysicalSizeX='1' PhysicalSizeY='1' b='<'/>",
        "<Pixels PhysicalSizeX='1e999' PhysicalSizeY='1'/>",
    ])
    func hostileTextSaysNothing(xml: String) {
        #expect(pixels(of: xml)?.pixelSize == nil)
    }

    @Test func longHostileTextIsReadInOnePass() {
        #expect(pixels(of: String(repeating: "<a ", count: 300_000)) == nil)
        #expect(pixels(of: String(repeating: "<a>", count: 100_000)) == nil)
        #expect(pixels(of: "<!--" + String(repeating: "-", count: 300_000)) == nil)
        #expect(pixels(of: "<Pixels>" + String(repeating: "<TiffData>", count: 100_000)) != nil)
    }

    /// What the first image says.
    private func pixels(of xml: String) -> OMEMetadata? {
        OMEDocument(xml: xml, stopsAtOnePlane: false).images.first?.metadata
    }
}
