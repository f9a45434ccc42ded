import Foundation
import Frames
import Ledger
import Plate
import Reporting
import TestSupport
import Testing

@testable import Dashboard

/// Visitors who mean no good, or whose machine sleeps: the others are answered all the same.
@Suite(.serialized) struct AttackTests {
    private func expectAnswers(_ page: OpenPage) async throws {
        #expect(try await page.visitor.get("/healthz").text == "ok\n")
        #expect(try await page.visitor.get("/metrics").text.contains("autoqc_daemon_up 1"))
        #expect(try await page.visitor.get("/api/v1/runs").status == 200)
    }

    private func withPage(_ body: @escaping @Sendable (OpenPage) async throws -> Void) async throws {
        let figures = DaemonFigures(started: .now)
        try await OpenPage.with(daemon: { .alive(figures) }) { page in
            try page.add("A1", frame: 0)
            try await body(page)
        }
    }

    @Test func idleConnectionsSilenceNothing() async throws {
        try await withPage { page in
            let idle = try (0..<300).map { _ in try Socket(port: page.visitor.port) }
            try await expectAnswers(page)
            // The newest as well: each is closed in the end, whoever else comes or goes.
            try await Visitor.aside { try idle.last?.waitForEnd() }
            try await expectAnswers(page)
        }
    }

    @Test func readersOfEventsWhoNeverReadSilenceNothing() async throws {
        try await withPage { page in
            // Of a client of its own: among so many at once, one request of the same client may be the one that is let go.
            let readers = try (0..<300).map { _ in try Socket(port: page.visitor.port, from: "127.0.0.2") }
            // Some are closed already, so that others had room.
            for reader in readers { try? reader.ask("/api/v1/events?run=01") }
            try await expectAnswers(page)
            withExtendedLifetime(readers) {}
        }
    }

    @Test func readersOfEventsThatAreResetLeaveRoom() async throws {
        try await withPage { page in
            for _ in 0..<4 * EventStream.mostReaders {
                let socket = try Socket(port: page.visitor.port)
                try socket.ask("/api/v1/events?run=01")
                socket.breakOff()
            }
            _ = try await reader(of: page)
        }
    }

    private func reader(of page: OpenPage) async throws -> Socket {
        try await Visitor.aside {
            let socket = try Socket(port: page.visitor.port)
            try socket.ask("/api/v1/events?run=01")
            #expect(try socket.read(until: "event: status").hasPrefix("HTTP/1.1 200 OK"))
            return socket
        }
    }

    @Test func aNewReaderOfEventsTakesThePlaceOfTheOldest() async throws {
        try await withPage { page in
            let first = try await reader(of: page)
            var others: [Socket] = []
            for _ in 0..<EventStream.mostOfClient { others.append(try await reader(of: page)) }
            try await Visitor.aside { try first.waitForEnd() }
            try await expectAnswers(page)
            withExtendedLifetime(others) {}
        }
    }

    @Test func whoeverDoesNotFinishARequestOrTakeItsAnswerIsLetGo() async throws {
        try await withPage { page in
            let sockets = try [
                "", "GET / HTT", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ",
                "POST /api/v1/runs/01/decisions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                    + "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
                // More answers than any buffer holds.
                String(
                    repeating: "GET /page.js HTTP/1.1\r\nHost: 127.0.0.1:\(page.visitor.port)\r\n\r\n",
                    count: 3000
                ),
            ].map { beginning in
                let socket = try Socket(port: page.visitor.port)
                try socket.send(beginning)
                return socket
            }
            try await Visitor.aside { for socket in sockets { try socket.waitForEnd() } }
            try await expectAnswers(page)
        }
    }

    @Test func framesOfAnyGreyValuesHavePictures() async throws {
        try await withPage { page in
            let largest = Float.greatestFiniteMagnitude
            for (index, pixels) in [
                [largest, -largest], [largest, largest], [0, largest], [-largest, 0],
                [.leastNonzeroMagnitude, 0],
            ].enumerated() {
                let frame = (0..<64 * 40).map { pixels[$0 / 7 % 2] }
                try page.add("B1", frame: index, verdict: .faulty, pixels: frame)
                for width in [16, 64, 1280] {
                    let address = "/api/v1/runs/01/wells/B01/frames/\(index)/image.png?width=\(width)"
                    #expect(try await page.visitor.get(address).status == 200, "\(pixels)")
                }
            }
            try await expectAnswers(page)
        }
    }

    @Test func aFileIsHandedOverWhole() async throws {
        try await withPage { page in
            try page.add("A1", frame: 1)
            let answer = try await page.visitor.get("/api/v1/runs/01/wells/A01/frames/1/frame.tiff")
            let file = page.folder.appending(path: "in/01_A1_f1.tiff")
            #expect(try answer.body == Data(contentsOf: file))
        }
    }
}
