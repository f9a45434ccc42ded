#!/usr/bin/env bash
# What a release was built with, in the form of Debian's .buildinfo: buildinfo.sh COMMIT FOLDER
#
# A build of the same commit with the same compiler and the same Debian packages gives the files of FOLDER, byte for byte.
set -euo pipefail
export LC_ALL=C.UTF-8
here=$(cd "$(dirname "$0")" && pwd)
echo "Format: 1.0
Source: autoqc
Binary: autoqc autoqc-dbgsym
Architecture: $(dpkg --print-architecture)
Version: $("$here/version.sh")
Vcs-Git-Commit: $1
Build-Origin: Debian $(cat /etc/debian_version)
Build-Architecture: $(dpkg --print-architecture)
Swift: $(swift --version 2> /dev/null | head -n 1)
Environment:
 SOURCE_DATE_EPOCH=\"$SOURCE_DATE_EPOCH\"
Checksums-Sha256:"
(cd "$2" && for file in *.deb *.cdx.json *.tar.gz; do echo " $(sha256sum "$file" | cut -d ' ' -f 1) $(stat -c %s "$file") $file"; done)
echo "Installed-Build-Depends:"
# The packages of the build (BUILD_DEPENDS) with those that they need, and the tools that write the packages.
# shellcheck disable=SC2086 # a list of names
dpkg-query -W -f '${db:Status-Status} ${Package} (= ${Version}),\n' $BUILD_DEPENDS \
    $(apt-cache depends --recurse --installed --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances $BUILD_DEPENDS |
      grep '^[a-z0-9]' | sed 's/:.*//' | sort -u) binutils dpkg dpkg-dev git gzip libc6-dev libstdc++-12-dev make xz-utils 2> /dev/null |
    sed -n 's/^installed / /p' | sort -u
