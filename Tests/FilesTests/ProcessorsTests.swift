import Testing

@testable import Files

@Suite struct ProcessorsTests {
    private func usable(
        _ affinity: Int,
        task: String? = nil,
        _ groups: String = "",
        _ limits: [String: String] = [:]
    ) -> Int {
        Processors.usable(affinity: affinity, task: task, groups: groups) { limits[$0] }
    }

    @Test func theLeastOfAllLimitsHolds() {
        #expect(usable(8) == 8)
        #expect(usable(8, task: "3") == 3)
        #expect(usable(2, task: "16") == 2)
        let groups = "1:name=x:/\n0::/system.slice/job.scope\n"
        let limits = ["/system.slice": "250000 100000\n", "/system.slice/job.scope": "max 100000\n"]
        // Two and a half processors keep three threads busy most of the time.
        #expect(usable(8, groups, limits) == 3)
        #expect(usable(8, task: "2", groups, limits) == 2)
    }

    @Test(arguments: ["", "0::", "0::/", "nonsense", "0::/a\n"])
    func whatSaysNothingLimitsNothing(groups: String) {
        #expect(usable(4, task: "many", groups, ["/a": "150000"]) == 4)
        #expect(usable(4, "0::/a\n", ["/a": "1e300 1"]) == 4)
        #expect((1...4).contains(usable(4, "0::/a\n", ["/a": "nan 100000"])))
        #expect(usable(4, task: "-3", groups, ["/a": "0 0"]) == 1)
        #expect(Processors.usable >= 1)
    }
}
