import Foundation
import TestSupport
import Testing

struct UnitTests {
    private static let unit = unit("autoqc")
    private static func unit(_ name: String) -> URL {
        packageRoot.appending(path: "systemd/\(name)@.service")
    }
    private static let analyze = "/usr/bin/systemd-analyze"

    @Test(
        .enabled(if: FileManager.default.isExecutableFile(atPath: analyze), "no systemd-analyze here"),
        arguments: ["autoqc", "autoqc-notify"]
    )
    func systemdAcceptsTheUnitAndFindsItSafe(name: String) async throws {
        try await withTemporaryFolder { folder in
            let copy = folder.appending(path: "\(name)@demo.service")
            // The program is not installed where the tests run.
            let text = try String(contentsOf: Self.unit(name), encoding: .utf8)
                .replacing("@PREFIX@/bin/autoqc", with: "/bin/true")
            try Data(text.utf8).write(to: copy)
            #expect(try Self.run(["verify", "--man=no", copy.path]) == "0: ")
            let security = ["security", "--offline=true", "--threshold=15", copy.path]
            #expect(try Self.run(security).hasPrefix("0: "))
        }
    }

    @Test func theUnitUsesTheCommandsAndLeavesTheJITAlone() throws {
        let lines = try String(contentsOf: Self.unit, encoding: .utf8).split(separator: "\n")
        for line in [
            "Type=notify", "WatchdogSec=60", "Restart=on-failure", "StateDirectory=autoqc",
            "StartLimitIntervalSec=0", "RestartPreventExitStatus=64 78",
            "ExecStart=@PREFIX@/bin/autoqc watch --config /etc/autoqc/%i.yaml", "MemoryDenyWriteExecute=no",
        ] {
            #expect(lines.contains { $0 == line }, "\(line)")
        }
        // What passes is waited for by the daemon; a check before it would fail for the same reasons, and end the start.
        #expect(!lines.contains { $0.hasPrefix("ExecStartPre=") || $0.hasPrefix("StartLimitBurst=") })
    }

    @Test func theUnitThatNotifiesReadsSecretsAsCredentials() throws {
        let lines = try String(contentsOf: Self.unit("autoqc-notify"), encoding: .utf8).split(separator: "\n")
        for line in [
            "Type=notify", "Restart=on-failure", "StateDirectory=autoqc", "RestartPreventExitStatus=64 78",
            "ExecStart=@PREFIX@/bin/autoqc notify --config /etc/autoqc/%i.yaml",
            "LoadCredential=notify:/etc/autoqc/credentials",
        ] {
            #expect(lines.contains { $0 == line }, "\(line)")
        }
        // The one that judges has no network.
        let judging = try String(contentsOf: Self.unit, encoding: .utf8)
        #expect(judging.contains("\nPrivateNetwork=yes\n"))
    }

    /// The exit code and everything that was said.
    private static func run(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: analyze)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let said = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return "\(process.terminationStatus): \(String(decoding: said, as: UTF8.self))"
    }
}
