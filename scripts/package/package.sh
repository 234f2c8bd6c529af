#!/usr/bin/env bash
# package.sh deb|ipk BINARY ARCHITECTURE VERSION FOLDER : makes a package of a binary and prints its path. The same input gives the same
# bytes: times are those of SOURCE_DATE_EPOCH (0).
#
#   package.sh deb build/evsed-linux-armv7 armhf 1.2.3 dist
#   package.sh ipk build/evsed-linux-armv7 arm_cortex-a7_neon-vfpv4 1.2.3 dist
set -euo pipefail
(($# == 5)) || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
kind=$1 binary=$2 arch=$3 version=$4 out=$5
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../..
[[ $version =~ ^[0-9][A-Za-z0-9.+~-]*$ ]] || { echo "package: version '$version': want one that begins with a digit" >&2; exit 2; }
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0}
umask 022
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out" "$work/data" "$work/control"

put() { install -D -m "$1" "$2" "$work/data/$3"; }

common() {
  put 755 "$binary" usr/bin/evsed
  put 644 "$here/files/evsed.default" etc/default/evsed
  for f in "$root"/boards/*.yaml; do put 644 "$f" "usr/share/evsed/boards/$(basename "$f")"; done
}

# size of the files, in kB
installed() { du -sk --apparent-size "$work/data" | cut -f1; }

pack() { # FOLDER FILE
  find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  tar -C "$1" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --format=gnu -cf - . | gzip -9n >"$2"
}

deb() {
  common
  for f in evsed.service evsed-guard.service; do put 644 "$root/scripts/systemd/$f" "usr/lib/systemd/system/$f"; done
  put 644 "$root/scripts/systemd/evsed.sysusers" usr/lib/sysusers.d/evsed.conf
  put 644 "$root/scripts/systemd/evsed.tmpfiles" usr/lib/tmpfiles.d/evsed.conf
  put 644 "$here/files/70-evsed.rules" usr/lib/udev/rules.d/70-evsed.rules
  put 644 "$root/scripts/systemd/evsed-two-units.conf" usr/share/evsed/two-units.conf
  put 644 "$here/files/board.conf" usr/share/evsed/board.conf
  put 644 "$root/LICENSE" usr/share/doc/evsed/copyright
  gzip -9n <"$root/CHANGELOG.md" >"$work/changelog.gz"
  put 644 "$work/changelog.gz" usr/share/doc/evsed/changelog.gz
  mkdir "$work/data/DEBIAN"
  cat >"$work/data/DEBIAN/control" <<CONTROL
Package: evsed
Version: $version
Architecture: $arch
Maintainer: evsed maintainers <maintainers@evsed.invalid>
Installed-Size: $(installed)
Depends: systemd (>= 250), udev
Section: misc
Priority: optional
Homepage: https://github.com/evsed/evsed
Description: agent of an EV charging station
 Drives the wires of a charge controller by a board file, tells the car what it
 may draw, tells the CSMS (OCPP 1.2 to 2.1) what happens, and keeps every
 transaction until the CSMS has acknowledged it.
CONTROL
  echo /etc/default/evsed >"$work/data/DEBIAN/conffiles"
  for f in postinst prerm postrm; do install -m 755 "$here/files/$f" "$work/data/DEBIAN/$f"; done
  (cd "$work/data" && find etc usr -type f | LC_ALL=C sort | xargs md5sum) >"$work/md5sums"
  install -m 644 "$work/md5sums" "$work/data/DEBIAN/md5sums"
  find "$work/data" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  file=$out/evsed_${version}_$arch.deb
  dpkg-deb --root-owner-group -Zxz -z1 --build "$work/data" "$file" >/dev/null
}

ipk() {
  common
  put 755 "$here/files/evsed.init" etc/init.d/evsed
  cat >"$work/control/control" <<CONTROL
Package: evsed
Version: $version
Architecture: $arch
Maintainer: evsed maintainers <maintainers@evsed.invalid>
Section: utils
Priority: optional
License: Apache-2.0
Installed-Size: $(installed)
Source: https://github.com/evsed/evsed
Description: agent of an EV charging station
CONTROL
  echo /etc/default/evsed >"$work/control/conffiles"
  mkdir "$work/ipk"
  pack "$work/control" "$work/ipk/control.tar.gz"
  pack "$work/data" "$work/ipk/data.tar.gz"
  echo 2.0 >"$work/ipk/debian-binary"
  file=$out/evsed_${version}_$arch.ipk
  pack "$work/ipk" "$file"
}

case $kind in
  deb) command -v dpkg-deb >/dev/null || { echo "package: dpkg-deb is not installed" >&2; exit 3; }; deb ;;
  ipk) ipk ;;
  *) echo "package: '$kind': want deb or ipk" >&2; exit 2 ;;
esac
echo "$file"
