import Plate
import Testing

struct FrameIDTests {
    @Test(arguments: [
        FrameView.only, FrameView(field: 0), FrameView(field: 12, channel: "UV - DAPI", plane: 3),
        FrameView(channel: "s1_z2"), FrameView(plane: 0), FrameView(channel: "c_"),
        FrameView(field: 1, plane: 2),
    ])
    func aViewIsReadAsItIsWritten(view: FrameView) {
        #expect(FrameView(view.description) == view)
    }

    @Test(arguments: ["s", "x1", "s01", "z1_s1", "s1_", "1", "s-", "s99999999999999999999"])
    func otherTextIsNoView(text: String) {
        #expect(FrameView(text) == nil)
    }

    @Test func aNameSaysWhatItIs() throws {
        let well = try #require(Well("B1"))
        #expect(FrameID(run: "01", well: well, index: 100).description == "01_B01_f100")
        let view = FrameView(field: 2, channel: "DAPI", plane: 3)
        let frame = FrameID(run: "01", well: well, view: view, index: 1)
        #expect(frame.description == "01_B01_s2_z3_cDAPI_f1")
        #expect(view.words == "field 2, channel DAPI, plane 3")
        #expect(frame.later(by: 2).index == 3 && frame.later(by: 2).view == view)
    }

    @Test func twoSpellingsOfAnAccentAreTwoFiles() {
        let names = ["e\u{301}.tif", "\u{E9}.tif"]
        #expect(names[0] == names[1])
        #expect(Set(names.map { ExactPath($0) }).count == 2)
        #expect(Set(names.map { FrameSource(root: "/in", path: $0) }).count == 2)
        #expect(FrameSource(root: "", path: names[0]).key != FrameSource(root: "", path: names[1]).key)
        #expect(ExactPath(names[0]) < ExactPath(names[1]) || ExactPath(names[1]) < ExactPath(names[0]))
    }

    @Test(arguments: [
        ("/a/./b/../c//d", "/a/c/d"), ("/", "/"), ("/..", "/"), ("/a/\u{301}b", "/a/\u{301}b"),
    ])
    func pathsAreMadeAbsolute(path: String, absolute: String) {
        #expect(ExactPath.absolute(path) == ExactPath(absolute))
    }

    @Test func aPathHasAFolderAndAName() {
        #expect(ExactPath("/a/b.tif").folder == "/a" && ExactPath("/a/b.tif").name == "b.tif")
        #expect(ExactPath("b.tif").folder == "." && ExactPath("/b").folder == "/")
        #expect(ExactPath("/a/b").isInside(ExactPath("/a")) && !ExactPath("/ab").isInside(ExactPath("/a")))
    }
}
