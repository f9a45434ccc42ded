#!/usr/bin/env python3
"""Writes what is in the program as a CycloneDX list (SBOM), and the licences of what was compiled into it:

    sbom.py VERSION BUILD PROGRAM MODEL SBOM LICENCES

BUILD is the folder of the build (.build/release), PROGRAM the binary, MODEL the model that is shipped with it. Named are the Swift
packages with version and revision, the C code that some of them bring, Swift's own libraries, and the Debian packages of the shared
libraries. The same build gives the same bytes: the date is that of SOURCE_DATE_EPOCH, and nothing is drawn at random.
"""
import datetime, hashlib, json, os, pathlib, re, subprocess, sys, uuid

# C code of others in Swift packages, by its target: name, how to find its version (file in the package, pattern), licence, address.
# Where the package does not say which version it has, the Swift package's revision is what is known.
BUNDLED = {
    "CYaml": ("libyaml", None, "MIT", "https://github.com/yaml/libyaml"),
    "CNIOLLHTTP": ("llhttp", ("Sources/CNIOLLHTTP/include/c_nio_llhttp.h", r"LLHTTP_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)"), "MIT",
                   "https://github.com/nodejs/llhttp"),
    "CNIOSHA1": ("kame-sha1", None, "BSD-3-Clause", "https://github.com/KAME/kame"),
}
# C targets that are the Swift package's own code.
OWN = {"CNIOAtomics", "CNIODarwin", "CNIOFreeBSD", "CNIOLinux", "CNIOOpenBSD", "CNIOPosix", "CNIOWASI", "CNIOWindows", "CSystem", "_AtomicsShims"}
# What Debian's copyright files call a licence, and SPDX.
SPDX = {"Expat": "MIT", "expat": "MIT", "Hylafax": "libtiff", "libpng OR Apache-2.0 OR BSD-3-clause": "Libpng", "Zlib": "Zlib", "GPL-2": "GPL-2.0-only",
        "GPL-2+": "GPL-2.0-or-later", "LGPL-2.1+": "LGPL-2.1-or-later", "Apache-2.0": "Apache-2.0", "BSD-3-clause": "BSD-3-Clause"}
# Copyright files that no program can read.
KNOWN = {"gcc-12": "GPL-3.0-or-later WITH GCC-exception-3.1", "glibc": "LGPL-2.1-or-later", "libzip": "BSD-3-Clause"}


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout


def licensed(expression, name=None):
    if name: return {"licenses": [{"license": {"name": name}}]}
    return {"licenses": [{"expression": expression}]} if expression else {}


def licence(folder):
    """The licence of a Swift package by its own text, and that text with its notices."""
    files = sorted(p for p in folder.iterdir() if p.is_file() and re.match(r"(LICENSE|NOTICE)(\.|$)", p.name))
    text = "\n\n".join(p.read_text(errors="replace").strip() for p in files)
    if "Apache License" in text:
        return "Apache-2.0 WITH Swift-exception" if "Runtime Library Exception" in text else "Apache-2.0", text
    return ("MIT" if "Permission is hereby granted, free of charge" in text else None), text


def linked(build):
    """The targets on the linker's list, each with the folder of the Swift package it comes from (None: this one) and whether it is C."""
    targets = {}
    for line in (build / "autoqc.product/Objects.LinkFileList").read_text().splitlines():
        target = pathlib.Path(re.match(r"(.*?/[^/]+\.build)/", line.strip("'\"")).group(1))
        if target.stem in targets: continue
        sources = target / "sources"
        isC = not sources.exists()
        text = next(iter(sorted(target.rglob("*.d")))).read_text() if isC else sources.read_text()
        checkout = re.search(r"(\S*/checkouts/[^/\s]+)/", text)
        targets[target.stem] = (pathlib.Path(checkout.group(1)) if checkout else None, isC)
    return targets


def bundled(target, folder, owner):
    name, place, spdx, address = BUNDLED[target]
    found = re.findall(place[1], (folder / place[0]).read_text()) if place else []
    version = ".".join(found)
    return {"type": "library", "bom-ref": f"{owner}/{name}", "name": name, **({"version": version} if version else {}),
            "description": f"C code in the target {target}", "scope": "required", **licensed(spdx),
            "purl": "pkg:github/" + "/".join(address.split("/")[-2:]).lower() + (f"@v{version}" if version else ""),
            "externalReferences": [{"type": "vcs", "url": address}]}


def swift_packages(build, texts):
    targets = linked(build)
    folders = {folder.name.lower().removesuffix(".git") for folder, _ in targets.values() if folder}
    for target, (folder, isC) in targets.items():
        if isC and folder and target not in BUNDLED and target not in OWN:
            sys.exit(f"sbom.py: {folder.name} brings the C code {target}: say in BUNDLED whose it is, or name it in OWN")
    root = build.parent.parent
    for pin in json.loads((root / "Package.resolved").read_text())["pins"]:
        address = pin["location"].removesuffix(".git")
        version, revision = pin["state"]["version"], pin["state"]["revision"]
        folder = root / ".build/checkouts" / pathlib.Path(address).name
        isLinked = pathlib.Path(address).name.lower() in folders
        spdx, text = licence(folder)
        reference = f"swift/{pin['identity']}"
        inside = [bundled(t, f, reference) for t, (f, _) in sorted(targets.items()) if t in BUNDLED and f and f.name == folder.name]
        if isLinked: texts.append((f"{pin['identity']} {version}", text))
        yield {"type": "library", "bom-ref": reference, "name": pin["identity"], "version": version,
               # What another package names but nothing of it is in the program.
               "scope": "required" if isLinked else "excluded", **licensed(spdx),
               "purl": f"pkg:swift/{address.removeprefix('https://')}@{version}",
               "externalReferences": [{"type": "vcs", "url": pin["location"]}],
               "properties": [{"name": "autoqc:revision", "value": revision}], **({"components": inside} if inside else {})}


def swift_runtime(program, texts):
    version = re.search(r"Swift version (\S+)", output("swift", "--version")).group(1)
    home = pathlib.Path(os.path.realpath(output("sh", "-c", "command -v swift").strip())).parents[1]
    icu = re.search(rb"icudt(\d+)l", program.read_bytes())
    spdx = "Apache-2.0 WITH Swift-exception"
    licence = home / "share/swift/LICENSE.txt"
    if licence.exists(): texts.append((f"Swift {version}", licence.read_text().strip()))
    parts = [{"type": "library", "bom-ref": f"swift-runtime/{name}", "name": name, "version": version, **licensed(spdx),
              "purl": f"pkg:github/{path}@swift-{version}-RELEASE"}
             for name, path in [("swift-stdlib", "swiftlang/swift"), ("swift-foundation", "swiftlang/swift-foundation"),
                                ("swift-corelibs-foundation", "swiftlang/swift-corelibs-foundation"),
                                ("swift-corelibs-libdispatch", "swiftlang/swift-corelibs-libdispatch")]]
    if icu:
        parts.append({"type": "library", "bom-ref": "swift-runtime/icu", "name": "icu", "version": icu.group(1).decode(), **licensed("Unicode-3.0"),
                      "description": "as _FoundationICU", "purl": f"pkg:github/swiftlang/swift-foundation-icu@swift-{version}-RELEASE"})
    return {"type": "library", "bom-ref": "swift-runtime", "name": "swift-runtime", "version": version, "scope": "required",
            "description": "Swift's libraries, linked statically", **licensed(spdx), "purl": f"pkg:swift/github.com/swiftlang/swift@{version}",
            "components": parts}


def debian_licence(package, source):
    if source in KNOWN: return licensed(KNOWN[source])
    text = pathlib.Path(f"/usr/share/doc/{package}/copyright").read_text(errors="replace")
    main = re.search(r"^Files: *\*\n(?:.+\n)*?License: *(.+)$", text, re.M)
    if not main: return {}
    return licensed(SPDX.get(main.group(1))) or licensed(None, main.group(1))


def debian_libraries(program):
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-dW", str(program))))
    for name, path in sorted(re.findall(r"^\s(\S+) (?:=> )?(/\S+)?", output("ldd", str(program)), re.M)):
        if name not in needed: continue
        # dpkg knows files by one of /lib and /usr/lib, and alternatives by their target.
        real = os.path.realpath(path)
        answers = [subprocess.run(["dpkg", "-S", p], capture_output=True, text=True).stdout for p in (path, real, real.removeprefix("/usr"))]
        package = next((answer.split(":")[0] for answer in answers if answer), None)
        if not package: sys.exit(f"sbom.py: {path} is of no Debian package")
        version, architecture, source, home = output(
            "dpkg-query", "-W", "-f", "${Version}\t${Architecture}\t${source:Package}\t${Homepage}", package).split("\t")
        yield {"type": "library", "bom-ref": f"deb/{package}", "name": package, "version": version, "scope": "required",
               **debian_licence(package, source),
               "purl": f"pkg:deb/debian/{package}@{version.replace('+', '%2B').replace(':', '%3A')}?arch={architecture}&distro=debian-12",
               **({"externalReferences": [{"type": "website", "url": home.strip()}]} if home.strip() else {}),
               "properties": [{"name": "autoqc:soname", "value": name}, {"name": "autoqc:source-package", "value": source}]}


def sha256(path): return [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}]


def main(version, build, program, model, sbom, licences):
    build, program, model = pathlib.Path(build).absolute(), pathlib.Path(program), pathlib.Path(model)
    texts = []
    libraries = {}
    for library in debian_libraries(program):
        if library["bom-ref"] in libraries: libraries[library["bom-ref"]]["properties"] += library["properties"][:1]
        else: libraries[library["bom-ref"]] = library
    components = [*swift_packages(build, texts), swift_runtime(program, texts), *libraries.values(),
                  {"type": "machine-learning-model", "bom-ref": "model", "name": model.name, "version": version, **licensed("MIT"),
                   "hashes": sha256(model), "description": "the shipped model, trained by examples/models/train.sh"}]
    identity = re.search(r"Build ID: (\w+)", output("readelf", "-n", str(program)))
    parts = [component["bom-ref"] for component in components if component.get("scope") != "excluded"]
    bom = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {
            "timestamp": datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {"type": "application", "bom-ref": "autoqc", "name": "autoqc", "version": version, **licensed("MIT"),
                          "purl": f"pkg:generic/autoqc@{version}", "hashes": sha256(program),
                          "properties": [{"name": "autoqc:build-id", "value": identity.group(1)}] if identity else []},
        },
        "components": components,
        "dependencies": [{"ref": "autoqc", "dependsOn": sorted(parts)}],
    }
    # The number of the list follows from its content.
    bom["serialNumber"] = "urn:uuid:" + str(uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(bom, sort_keys=True)))
    pathlib.Path(sbom).write_text(json.dumps(bom, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    pathlib.Path(licences).write_text("".join(f"{'=' * 78}\n{name}\n{'=' * 78}\n\n{text}\n\n" for name, text in texts))


if __name__ == "__main__":
    if len(sys.argv) != 7: sys.exit(__doc__)
    main(*sys.argv[1:])
