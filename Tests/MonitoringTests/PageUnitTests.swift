import Reporting
import Systemd
import Testing

@testable import Monitoring

/// What `doctor` says of the page's unit, from what `systemctl show` prints of it.
struct PageUnitTests {
    private static let sound = """
        LoadState=loaded
        ActiveState=active
        UnitFileState=disabled
        FragmentPath=/lib/systemd/system/autoqc-page@.service
        DropInPaths=/etc/systemd/system/autoqc-page@plate.service.d/override.conf
        PrivateNetwork=no
        RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
        IPAddressDeny=
        IPAddressAllow=
        AmbientCapabilities=
        """

    private func findings(
        _ changes: [String: String] = [:],
        listen: String = "127.0.0.1:8764",
        token: String? = nil
    ) throws -> [String] {
        var text = Self.sound
        for (name, value) in changes { text += "\n\(name)=\(value)" }
        let unit = PageUnit(
            name: "plate",
            page: UnitProperties(text: text),
            judge: UnitProperties(text: "Wants=autoqc-page@plate.service network.target")
        )
        let web = try WebSettings(listen: listen, token: token)
        return unit.problems(with: web, token: "/nowhere/plate.token").map {
            "\($0.level.rawValue) \($0.finding); \($0.remedy ?? "")"
        }
    }

    @Test func aSoundUnitHasNoProblem() throws {
        #expect(try findings() == [])
        #expect(try findings(["RestrictAddressFamilies": ""]) == [])
        #expect(try findings(["RestrictAddressFamilies": "~AF_PACKET"]) == [])
        #expect(try findings(["IPAddressDeny": "::/0 0.0.0.0/0", "IPAddressAllow": "127.0.0.0/8"]) == [])
    }

    @Test(arguments: [
        (["LoadState": "not-found"], "is not installed"), (["LoadState": "masked"], "systemctl unmask"),
        (["PrivateNetwork": "yes"], "PrivateNetwork=no in /lib/systemd/system/autoqc-page@.service, /etc/"),
        (["RestrictAddressFamilies": "AF_UNIX"], "may open no AF_INET socket"),
        (["RestrictAddressFamilies": "none"], "may open no AF_INET socket"),
        (["RestrictAddressFamilies": "~AF_INET"], "may open no AF_INET socket"),
        (["IPAddressDeny": "::/0 0.0.0.0/0"], "IPAddressDeny=any"),
        (["ActiveState": "failed"], "journalctl -u autoqc-page@plate.service"),
    ])
    func whatWouldStopThePageIsNamed(changes: [String: String], words: String) throws {
        let found = try findings(changes)
        #expect(found.count == 1 && found.first?.contains(words) == true, "\(found)")
        #expect(found.first?.hasPrefix("fail ") == true)
    }

    @Test func aPortOrATokenThatCannotBeHadIsNamed() throws {
        #expect(try findings(listen: "127.0.0.1:80").first?.contains("may not listen on port 80") == true)
        #expect(try findings(["AmbientCapabilities": "cap_net_bind_service"], listen: "127.0.0.1:80") == [])
        let found = try findings(listen: "0.0.0.0:8764", token: WebSettings.credential)
        #expect(found.first?.contains("there is no /nowhere/plate.token") == true)
    }
}
