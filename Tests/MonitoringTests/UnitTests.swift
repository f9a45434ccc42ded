import Foundation
import TestSupport
import Testing

struct UnitTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "systemd")
    private static let analyze = "/usr/bin/systemd-analyze"

    /// The units, and how much of the machine each may be exposed to, in tenths of systemd's scale.
    @Test(
        .enabled(if: FileManager.default.isExecutableFile(atPath: analyze), "no systemd-analyze here"),
        arguments: [("autoqc@", 10), ("autoqc-page@", 20), ("autoqc-notify@", 15)]
    )
    func systemdAcceptsTheUnitAndFindsItSafe(unit: String, exposure: Int) async throws {
        try await withTemporaryFolder { folder in
            let copy = folder.appending(path: "\(unit)demo.service")
            // The program is not installed where the tests run.
            let text = try Self.text(of: unit).replacing("@PREFIX@/bin/autoqc", with: "/bin/true")
            try Data(text.utf8).write(to: copy)
            #expect(try Self.run(["verify", "--man=no", copy.path]) == "0: ")
            let security = ["security", "--offline=true", "--threshold=\(exposure)", copy.path]
            #expect(try Self.run(security).hasPrefix("0: "))
        }
    }

    @Test func theUnitUsesTheCommandsAndLeavesTheJITAlone() throws {
        let lines = try Self.text(of: "autoqc@").split(separator: "\n")
        for line in [
            "Type=notify", "WatchdogSec=60", "Restart=on-failure", "StateDirectory=autoqc",
            "StartLimitIntervalSec=0", "RestartPreventExitStatus=64 78",
            "ExecStart=@PREFIX@/bin/autoqc watch --config /etc/autoqc/%i.yaml --status %t/autoqc/%i/status.json",
            "PrivateNetwork=yes", "Wants=autoqc-page@%i.service", "MemoryDenyWriteExecute=no",
        ] {
            #expect(lines.contains { $0 == line }, "\(line)")
        }
        // What passes is waited for by the daemon; a check before it would fail for the same reasons, and end the start.
        #expect(!lines.contains { $0.hasPrefix("ExecStartPre=") || $0.hasPrefix("StartLimitBurst=") })
    }

    @Test func theUnitThatNotifiesReadsSecretsAsCredentials() throws {
        let lines = try Self.text(of: "autoqc-notify@").split(separator: "\n")
        for line in [
            "Type=notify", "Restart=on-failure", "StateDirectory=autoqc", "RestartPreventExitStatus=64 78",
            "ExecStart=@PREFIX@/bin/autoqc notify --config /etc/autoqc/%i.yaml",
            "LoadCredential=notify:/etc/autoqc/credentials",
        ] {
            #expect(lines.contains { $0 == line }, "\(line)")
        }
        // The one that judges has no network.
        let judging = try Self.text(of: "autoqc@")
        #expect(judging.contains("\nPrivateNetwork=yes\n"))
    }

    private static func text(of unit: String) throws -> String {
        try String(contentsOf: folder.appending(path: "\(unit).service"), encoding: .utf8)
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
