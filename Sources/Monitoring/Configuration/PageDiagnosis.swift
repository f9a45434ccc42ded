import Foundation
import Reporting
import Systemd

extension Configuration {
    /// Folder of the configurations that the units read.
    private static let folder = "/etc/autoqc/"

    /// Whether the live page can be served as `web.listen` says: nothing where it is off.
    ///
    /// `file` is the configuration's path. Of one in `/etc/autoqc` the units are looked at.
    package func pageDiagnoses(file: String?) -> [Diagnosis] {
        guard let web else { return [] }
        let path = file.map { URL(filePath: $0).standardizedFileURL.path } ?? ""
        guard UnitProperties.isManaged, path.hasPrefix(Self.folder), path.hasSuffix(".yaml") else {
            return [
                Diagnosis(.fine, "page", "`autoqc watch` starts it beside itself, at \(web.host):\(web.port)")
            ]
        }
        let name = String(path.dropFirst(Self.folder.count).dropLast(".yaml".count))
        let unit = "autoqc-page@\(name).service"
        guard let page = UnitProperties.asked(unit, PageUnit.properties),
            let judge = UnitProperties.asked("autoqc@\(name).service", ["Wants"])
        else {
            return [
                Diagnosis(
                    .warning,
                    "page",
                    "systemd cannot be asked about \(unit)",
                    remedy: "look with: systemctl status \(unit)"
                )
            ]
        }
        let unitOfPage = PageUnit(name: name, page: page, judge: judge)
        let problems =
            unitOfPage.problems(with: web, token: Self.folder + name + ".token") + hidden(path, unit)
        guard problems.isEmpty else { return problems }
        return [Diagnosis(.fine, "page", "\(unit) may serve it at \(web.host):\(web.port)")]
    }

    /// The page's user reads the configuration by its group.
    private func hidden(_ path: String, _ unit: String) -> [Diagnosis] {
        var status = stat()
        guard unsafe stat(path, &status) == 0, status.st_mode & S_IROTH == 0 else { return [] }
        let group = unsafe getgrnam("autoqc").map { unsafe $0.pointee.gr_gid }
        guard status.st_mode & S_IRGRP == 0 || status.st_gid != group else { return [] }
        return [
            Diagnosis(
                .failure,
                "page",
                "\(path) cannot be read by the user of \(unit)",
                remedy: "as root: chgrp autoqc \(path) && chmod 640 \(path)"
            )
        ]
    }
}

/// The unit of the live page, as the service manager knows it with all drop-ins.
struct PageUnit {
    static let properties = [
        "LoadState", "ActiveState", "UnitFileState", "FragmentPath", "DropInPaths", "PrivateNetwork",
        "RestrictAddressFamilies", "IPAddressDeny", "IPAddressAllow", "AmbientCapabilities",
    ]

    let name: String
    let page: UnitProperties
    let judge: UnitProperties

    private var unit: String { "autoqc-page@\(name).service" }

    /// What would keep the page from being served.
    func problems(with web: WebSettings, token: String) -> [Diagnosis] {
        if let problem = loading { return [problem] }
        var problems = [start, network(web), addresses(web), families(web), port(web)]
        if web.token == WebSettings.credential, unsafe access(token, F_OK) != 0 {
            problems.append(
                Self.failure(
                    "web.token is `credential`, and there is no \(token)",
                    "as root: (umask 077; openssl rand -hex 16 > \(token)), then systemctl restart \(unit)"
                )
            )
        }
        if page["ActiveState"] == "failed" {
            problems.append(Self.failure("\(unit) has failed", "see why: journalctl -u \(unit) -n 20"))
        }
        return problems.compactMap { $0 }
    }

    private static func failure(_ finding: String, _ remedy: String) -> Diagnosis {
        Diagnosis(.failure, "page", finding, remedy: remedy)
    }

    private var loading: Diagnosis? {
        switch page["LoadState"] {
        case "loaded": nil
        case "masked":
            Self.failure("\(unit) is masked", "as root: systemctl unmask \(unit)")
        default:
            Self.failure(
                "\(unit) is not installed, and only it may serve the page: the judging unit has no network",
                "install the package of this version, then: systemctl daemon-reload"
            )
        }
    }

    private var start: Diagnosis? {
        let isWanted = judge.words("Wants").contains(unit) || page["UnitFileState"].hasPrefix("enabled")
        guard !isWanted, page["ActiveState"] != "active" else { return nil }
        return Self.failure(
            "nothing starts \(unit): autoqc@\(name).service does not want it",
            "as root: systemctl enable --now \(unit)"
        )
    }

    private func network(_ web: WebSettings) -> Diagnosis? {
        guard page["PrivateNetwork"] == "yes" else { return nil }
        return Self.failure(
            "\(unit) has a network of its own, which nobody reaches (PrivateNetwork=yes)",
            "set PrivateNetwork=no in \(files)"
        )
    }

    private func addresses(_ web: WebSettings) -> Diagnosis? {
        let denied = page.words("IPAddressDeny")
        let allowed = page.words("IPAddressAllow")
        let isDenied = denied.contains { $0.hasSuffix("/0") } && allowed.isEmpty
        guard isDenied else { return nil }
        return Self.failure(
            "\(unit) may talk to no address (IPAddressDeny=any)",
            "set IPAddressAllow= to those that may see the page in \(files)"
        )
    }

    /// A list of those that are allowed, or after `~` of those that are not; empty for all.
    private func families(_ web: WebSettings) -> Diagnosis? {
        let value = page["RestrictAddressFamilies"]
        let wanted = web.host.contains(":") ? "AF_INET6" : "AF_INET"
        let isListed = value.replacing("~", with: "").split(separator: " ").contains { $0 == wanted }
        let isRefused = value.hasPrefix("~") ? isListed : !value.isEmpty && !isListed
        guard isRefused else { return nil }
        return Self.failure(
            "\(unit) may open no \(wanted) socket (RestrictAddressFamilies=)",
            "set RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 in \(files)"
        )
    }

    private func port(_ web: WebSettings) -> Diagnosis? {
        let path = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let first = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 1024
        guard web.port > 0, web.port < first, !page["AmbientCapabilities"].contains("cap_net_bind_service")
        else { return nil }
        return Self.failure(
            "\(unit) may not listen on port \(web.port)",
            "take one from \(first) on behind a reverse proxy, or set AmbientCapabilities=CAP_NET_BIND_SERVICE "
                + "and CapabilityBoundingSet=CAP_NET_BIND_SERVICE with: systemctl edit \(unit)"
        )
    }

    /// Where the settings stand.
    private var files: String {
        ([page["FragmentPath"]] + page.words("DropInPaths")).filter { !$0.isEmpty }.joined(separator: ", ")
    }
}
