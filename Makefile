# Two commands do everything on a fresh Debian 12 that has Swift 6.2 or later: `make demo` and `make test`.

PREFIX ?= /usr/local
DESTDIR ?=
PACKAGES = libinotifytools0-dev libtiff-dev libpng-dev libopenblas-dev libsystemd-dev libdnnl-dev libsqlite3-dev \
	libssl-dev libzip-dev zlib1g-dev pkg-config
SERVERS = samba nfs-ganesha nfs-ganesha-vfs rpcbind rclone fuse3 libnfs13 libfaketime python3-impacket python3-fusepy dosfstools fusefat
STRICT = --explicit-target-dependency-import-check error -Xswiftc -warnings-as-errors
# The same source gives the same bytes in every folder: no path of this one gets into the program, its debug data and its hashes.
SAME = -Xswiftc -file-prefix-map -Xswiftc $(CURDIR)=. -Xcc -ffile-prefix-map=$(CURDIR)=. \
	-Xswiftc -Xfrontend -Xswiftc -no-serialize-debugging-options -Xswiftc -Xfrontend -Xswiftc -no-clang-module-breadcrumbs \
	-Xswiftc -Xfrontend -Xswiftc -disable-incremental-llvm-codegen
# The Swift runtime goes into the binary, so that the installed program needs no toolchain.
# Functions of libraries are looked up at the start, so that the table of their addresses is not writable later.
RELEASE = -c release --static-swift-stdlib $(SAME) -Xlinker -z -Xlinker now --product autoqc
# The date in manual pages and packages: the last commit's. A source tarball has it as its files' date.
export SOURCE_DATE_EPOCH ?= $(shell if [ -e .git ]; then git log -1 --format=%ct; else stat -c %Y CHANGELOG.md; fi)
VERSION = $(shell packaging/version.sh)
AUTOQC = .build/release/autoqc
LIB = $(DESTDIR)$(PREFIX)/lib
UNITS = $(LIB)/systemd/system
SHARE = $(DESTDIR)$(PREFIX)/share
COMPLETIONS = bash-completion/completions/autoqc zsh/site-functions/_autoqc fish/vendor_completions.d/autoqc.fish
SUDO = $(if $(filter 0,$(shell id -u)),,sudo)

# Several programs compute at once there: a thread that waits shall sleep, not spin on a core that another one needs.
demo test: export OMP_WAIT_POLICY = passive
# Tests at once: each that waits holds programs and open files, and Foundation loses the ends of programs from file 1024 on.
test: export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH = 16

.PHONY: all deps build demo test lint install uninstall deb release test-release pins bench bench-pytorch bench-start bench-scale bench-shards bench-two-plates soak test-systemd test-faults test-shares test-browser test-notify test-prometheus test-micromanager test-exports test-python test-models test-cluster test-engines rehearsal soak-faults fuzz model clean

all: build

# Installs what is missing and nothing else; asks for root only then.
deps:
	@missing=$$(for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || echo $$p; done); \
	if [ -n "$$missing" ]; then \
	    echo "installing $$missing"; \
	    $(SUDO) apt-get update -qq && \
	    $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	fi

# Debug data names the folder of temporary files, in which the compiler expands macros.
build: export TMPDIR = /tmp
build: deps
	swift build $(RELEASE)
	@# What `make install` takes beside the binary, so that root needs no Swift; with the same flags, or both would be built anew each time.
	swift build $(RELEASE:autoqc=generate-manual)
	packaging/man.sh $(AUTOQC) .build/release/generate-manual .build/share/man
	packaging/completions.sh $(AUTOQC) .build/share

$(AUTOQC):
	$(MAKE) build

# Watches a folder, lets real frames and a simulated plate arrive in it, and shows the results: less than a minute after the build.
demo: build
	examples/demo.sh $(AUTOQC)

test: deps lint
	swift build --build-tests $(STRICT)
	@# With a journal of their own where one can be had; the tests that need one say so otherwise.
	@Tests/Scripts/with-journald.sh swift test --skip-build $(STRICT); status=$$?; \
	    [ $$status -ne 77 ] && exit $$status; swift test --skip-build $(STRICT)

lint:
	swift format lint --strict --parallel -r Package.swift Sources Tests
	@! grep -rnE '(^|[^a-zA-Z_."`])print\(|try!|as! ' Sources --include='*.swift'
	@packaging/version.sh > /dev/null
	@awk -f Tests/Scripts/undocumented.awk $$(find Sources Tests/TestSupport -name '*.swift')

# Takes the binary that `make build` left: sudo need not find Swift, and leaves nothing of root's in .build.
install: $(AUTOQC)
	install -d $(UNITS) $(LIB)/sysusers.d $(LIB)/tmpfiles.d $(LIB)/systemd/catalog $(SHARE)/autoqc $(SHARE)/man/man1 $(SHARE)/man/man5 \
	    $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(AUTOQC) $(DESTDIR)$(PREFIX)/bin/autoqc
	for unit in autoqc@.service autoqc-page@.service autoqc-notify@.service autoqc.slice; do \
	    sed 's|@PREFIX@|$(PREFIX)|g' systemd/$$unit > $(UNITS)/$$unit || exit 1; done
	install -m 644 systemd/autoqc.sysusers $(LIB)/sysusers.d/autoqc.conf
	install -m 644 systemd/autoqc.tmpfiles $(LIB)/tmpfiles.d/autoqc.conf
	install -m 644 systemd/autoqc.catalog $(LIB)/systemd/catalog/autoqc.catalog
	install -m 644 examples/autoqc.yaml examples/models/complexeye.safetensors $(SHARE)/autoqc/
	install -m 644 .build/share/man/*.1 $(SHARE)/man/man1/
	install -m 644 .build/share/man/*.5 $(SHARE)/man/man5/
	for file in $(COMPLETIONS); do install -D -m 644 .build/share/$$file $(SHARE)/$$file || exit 1; done

uninstall:
	rm -rf $(DESTDIR)$(PREFIX)/bin/autoqc $(UNITS)/autoqc@.service $(UNITS)/autoqc-page@.service $(UNITS)/autoqc-notify@.service $(UNITS)/autoqc.slice \
	    $(LIB)/sysusers.d/autoqc.conf $(LIB)/tmpfiles.d/autoqc.conf $(LIB)/systemd/catalog/autoqc.catalog $(SHARE)/autoqc \
	    $(SHARE)/man/man1/autoqc.1 $(SHARE)/man/man1/autoqc-*.1 $(SHARE)/man/man5/autoqc.yaml.5 $(addprefix $(SHARE)/,$(COMPLETIONS))

# Two Debian packages in packages/, the program and its debug symbols, with the list of all that is in the program (SBOM).
deb: build
	mkdir -p packages
	packaging/deb.sh $(AUTOQC) packages

# Everything that a release has, in packages/, from a clean clone of the last commit. RELEASE_KEY=KEY signs it. docs/release.md
RELEASE_TOOLS = lintian python3-venv gnupg
release test-release: export BUILD_DEPENDS = $(PACKAGES)
release:
	@for p in $(RELEASE_TOOLS); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; [ -z "$$missing" ] || \
	    { $(SUDO) apt-get update -qq && \
	    $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; }
	packaging/release.sh packages

# Builds the release of this commit once more, in another folder, and compares it with the one in packages/ (or PUBLISHED=FOLDER).
test-release:
	@for p in $(RELEASE_TOOLS) diffoscope-minimal; do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; [ -z "$$missing" ] || \
	    { $(SUDO) apt-get update -qq && \
	    $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; }
	packaging/reproduce.sh $(or $(PUBLISHED),packages)

# Newer versions of the Swift packages for the next release: those that this tree was built with.
pins:
	cp Package.resolved packaging/swift-packages.json

# The main job's cost beside the speed of bare convolutions, in one run.
bench: build
	Benchmarks/run.sh $(AUTOQC)

# The same networks in PyTorch, which is installed into .build-pytorch for it (some 900 MB).
bench-pytorch: build
	Benchmarks/pytorch/run.sh $(AUTOQC)

# An hour of a 64-well plate at the microscope's pace; MODEL=FILE, and MINUTES, WELLS, RATE, ... of Benchmarks/soak.sh.
soak: build
	Benchmarks/soak.sh $(AUTOQC) $(MODEL)

# How long a start takes over a million frames that the ledger knows.
bench-start: build
	python3 Benchmarks/start.py $(AUTOQC) $(or $(MODEL),examples/models/complexeye.safetensors)

# What a frame costs with 64 and 384 wells, and with up to 100,000 files in the folder: some six minutes; fails where a limit does.
bench-scale: build
	python3 Benchmarks/scale.py $(AUTOQC) $(or $(MODEL),examples/models/complexeye.safetensors) $(SECONDS)

# What a frame costs in one, two and four shards at once; PLATE=FOLDER for frames of your own.
bench-shards: build
	python3 Benchmarks/shards.py $(AUTOQC) $(or $(MODEL),examples/models/complexeye.safetensors) $(FRAMES)

# Two plates at 8 frames a second each, a daemon for each, on the cores of this machine: some eleven minutes.
bench-two-plates: build
	Benchmarks/two-plates.sh $(AUTOQC) $(MODEL)

# The package in a booted Debian 12 container: installed from nothing, judging, frozen, reloaded, upgraded, removed, purged. Needs root.
test-systemd: deb
	@for p in debootstrap systemd-container; do dpkg -s $$p >/dev/null 2>&1 || \
	    $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$p; done
	$(SUDO) Tests/Systemd/container.sh packages/autoqc_$(VERSION)_*.deb packages/autoqc-dbgsym_$(VERSION)_*.deb examples/frames

# What the daemon must survive, really done to it: kills, power cuts, full disks, lost events, hostile files, and what happens to
# files and folders at people's benches. Mounts and disks need root.
test-faults: build
	Tests/Faults/run.sh $(AUTOQC) $(MODEL)

# Plates on real file servers (Samba, NFS) on loopback, mounted by the kernel where it can, else in user space: some fifteen
# minutes. Needs root. SCENES="NAME..." for some of them.
test-shares: build
	@for p in $(SERVERS); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; [ -z "$$missing" ] || \
	    { $(SUDO) apt-get update -qq && \
	    $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; }
	$(SUDO) Tests/Shares/run.sh $(AUTOQC) $(or $(MODEL),examples/models/complexeye.safetensors) $(SCENES)

# The live page in a headless Chromium, over a simulated plate, on screens of three sizes and on paper, with axe-core; pictures go
# to PICTURES.
test-browser: build
	@dpkg -s chromium poppler-utils python3-venv >/dev/null 2>&1 || { $(SUDO) apt-get update -qq && \
	    $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium poppler-utils fonts-dejavu-core python3-venv; }
	@[ -x .build-browser/bin/python3 ] || python3 -m venv .build-browser
	@.build-browser/bin/pip install -q --no-deps axe-playwright-python==0.1.8
	.build-browser/bin/python3 Tests/Browser/page.py $(AUTOQC) examples/models/complexeye.safetensors $(or $(PICTURES),.build/pictures)

# Real receivers of events (a web server, a broker, mail, a command) that die and come back, while daemon and notifier are killed.
test-notify: build
	@for p in curl mosquitto mosquitto-clients python3-venv; do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	    [ -z "$$missing" ] || { $(SUDO) apt-get update -qq && \
	    $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; }
	Tests/Notify/run.sh $(AUTOQC) $(MODEL)

# The alert rules for Prometheus, tried by promtool and loaded into a Prometheus that scrapes the daemon.
test-prometheus: build
	@dpkg -s prometheus >/dev/null 2>&1 || { $(SUDO) apt-get update -qq && \
	    $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends prometheus; }
	Tests/Prometheus/run.sh $(AUTOQC) $(MODEL)

# A real Micro-Manager core with faults in the middle of a run, which pauses, stops and refocuses on advice; needs python3-venv.
test-micromanager: build
	@dpkg -s python3-venv >/dev/null 2>&1 || { $(SUDO) apt-get update -qq && \
	    $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv; }
	Tests/Micromanager/run.sh $(AUTOQC) $(MODEL)

# Every form of a run, opened by the tool that it is for: napari, ImageJ, ome-zarr, mzQC, RO-Crate, MIHCSME. Pictures go to PICTURES.
NAPARI_NEEDS = python3-venv xvfb xauth libgl1 libgl1-mesa-dri libegl1 libdbus-1-3 libfontconfig1 libxcb-cursor0 \
	libxkbcommon-x11-0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0
EXPORT_TOOLS = imagej default-jre-headless $(NAPARI_NEEDS)
test-exports: build
	@for p in $(EXPORT_TOOLS); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; [ -z "$$missing" ] || \
	    { $(SUDO) apt-get update -qq && \
	    $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; }
	Tests/Exports/run.sh $(AUTOQC) $(MODEL)

# The Python package, on a simulated plate and in a real napari. A picture goes to PICTURES.
test-python: $(AUTOQC)
	@for p in $(NAPARI_NEEDS); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; [ -z "$$missing" ] || \
	    { $(SUDO) apt-get update -qq && \
	    $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; }
	python/tests/run.sh $(AUTOQC)

# A model's graph in onnxruntime beside `autoqc score`, and its bioimage.io package, tested by the tools they are for.
test-models: $(AUTOQC)
	@dpkg -s python3-venv >/dev/null 2>&1 || { $(SUDO) apt-get update -qq && \
	    $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv; }
	Tests/Models/run.sh $(AUTOQC) $(MODEL)

# examples/cluster on a real Slurm of one node, where a worker, a job and the controller are killed on the way: some ten minutes.
test-cluster: $(AUTOQC)
	@for p in slurm-wlm munge python3-venv; do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; [ -z "$$missing" ] || \
	    { $(SUDO) apt-get update -qq && \
	    $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; }
	Tests/Cluster/run.sh $(AUTOQC) $(MODEL)

# A report of MultiQC, and the Fractal task, over a simulated plate. A picture of the report goes to PICTURES.
test-engines: $(AUTOQC)
	@for p in chromium fonts-dejavu-core python3-venv; do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; [ -z "$$missing" ] || \
	    { $(SUDO) apt-get update -qq && \
	    $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; }
	Tests/Engines/run.sh $(AUTOQC) $(MODEL)

# A plate of 24 wells with everybody who listens at once: page, mail, webhook, MQTT and a Micro-Manager core. Prints who heard what when.
rehearsal: build
	@for p in curl mosquitto mosquitto-clients python3-venv; do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	    [ -z "$$missing" ] || { $(SUDO) apt-get update -qq && \
	    $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; }
	Tests/Rehearsal/run.sh $(AUTOQC) $(or $(MODEL),examples/models/complexeye.safetensors) $(TABLE)

# A thousand kills: some twenty minutes.
soak-faults: build
	python3 Tests/Faults/kills.py $(AUTOQC) $(or $(MODEL),examples/models/complexeye.safetensors) $(or $(KILLS),1000)

# Ten minutes of libFuzzer over each of the readers of frames, checkpoints, ONNX files, names, lists, ledger rows, and numbers and times;
# crashes stay in .build-fuzz.
fuzz: deps
	Tests/Fuzz/run.sh tiff $(or $(SECONDS),600)
	Tests/Fuzz/run.sh checkpoint $(or $(SECONDS),600)
	Tests/Fuzz/run.sh onnx $(or $(SECONDS),600)
	Tests/Fuzz/run.sh names $(or $(SECONDS),600)
	Tests/Fuzz/run.sh csv $(or $(SECONDS),600)
	Tests/Fuzz/run.sh ledger $(or $(SECONDS),600)
	Tests/Fuzz/run.sh numbers $(or $(SECONDS),600)

# Trains the shipped model anew from the MIT-licensed frames in AUTOQC_DATA.
model: build
	examples/models/train.sh $(AUTOQC)

clean:
	rm -rf .build .build-release .build-fuzz .build-pytorch .build-notify .build-browser .build-micromanager .build-exports .build-python .build-models .build-cluster .build-engines demo-output soak-output packages .build-systemd
