#!/usr/bin/env bash
# kernel.sh : builds the kernel of the tests, a User-mode Linux that runs as a program, from Debian's source of Linux 6.1;
# prints nothing but progress, and last the path of the kernel.
#
#   EVSED_UML      folder of the kernel that is built once and kept (build/uml)
#   EVSED_LINUX    the packed source (/usr/src/linux-source-6.1.tar.xz of the package linux-source-6.1)
#   EVSED_UML_TIME seconds after which to give up (1200)
#
# Exit 3: it cannot be built here, and the last line says what is missing. Exit 1: it did not build.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
keep=${EVSED_UML:-$here/../../build/uml}
source=${EVSED_LINUX:-/usr/src/linux-source-6.1.tar.xz}
limit=${EVSED_UML_TIME:-1200}

cannot() { echo "the kernel cannot be built here: $*"; exit 3; }
say() { printf 'kernel: %4ds %s\n' "$SECONDS" "$*"; }

mkdir -p "$keep" || cannot "no folder $keep"
keep=$(cd "$keep" && pwd)
key=$(cat "$here/kernel.sh" "$here/config" | sha256sum | cut -c1-16)-$(uname -m)
if [[ -x $keep/linux && $(cat "$keep/key" 2>/dev/null) == "$key" ]]; then
  echo "$keep/linux"
  exit 0
fi

[[ $(uname -s) == Linux ]] || cannot "User-mode Linux wants Linux, this is $(uname -s)"
case $(uname -m) in x86_64) ;; *) cannot "User-mode Linux of this source wants x86_64, this is $(uname -m)" ;; esac
[[ -r $source ]] || cannot "no $source: apt-get install linux-source-6.1, or name another in EVSED_LINUX"
for tool in flex bison bc xz tar make gcc ld perl; do
  command -v "$tool" >/dev/null || cannot "no $tool: apt-get install flex bison bc xz-utils tar make gcc libc6-dev binutils perl"
done
echo '#include <stdio.h>' | gcc -E - >/dev/null 2>&1 || cannot "no headers of the C library: apt-get install libc6-dev"
free=$(df -Pm "$keep" | awk 'NR == 2 {print $4}')
((free > 1500)) || cannot "$free MB are free in $keep, 1500 are needed"

exec 9>"$keep/lock"
flock -w "$limit" 9 || { echo "kernel: another build in $keep does not end"; exit 1; }
work=$keep/source log=$keep/log
trap 'rm -rf "$work"' EXIT
rm -rf "$work" "$keep/linux" "$keep/key"
mkdir "$work"

# Drivers of graphics, sound, disks and the like are configured, never compiled: their files stay packed.
say "unpack $source"
packed=()
for dir in gpu media staging infiniband scsi net/ethernet net/wireless; do packed+=(--exclude="*/drivers/$dir/*.[ch]"); done
timeout "$limit" tar -C "$work" --strip-components=1 --wildcards "${packed[@]}" \
  --exclude='*/sound/*.[ch]' --exclude='*/tools/testing/*' -xf "$source"
cd "$work"

# UML keeps every interrupt number for itself; the lines of gpio-sim need some.
sed -i 's/^\(#define UM_LAST_SIGNAL_IRQ\)[[:space:]]*64$/\1\t64/; s/^#define NR_IRQS[[:space:]]*UM_LAST_SIGNAL_IRQ$/#define NR_IRQS (UM_LAST_SIGNAL_IRQ + 128)/' arch/um/include/asm/irq.h
grep -q 'UM_LAST_SIGNAL_IRQ + 128' arch/um/include/asm/irq.h || { echo "kernel: irq.h is not as expected: no room for interrupts of simulated lines"; exit 1; }
# The stub of an I2C bus is a module for no other reason than caution; a kernel without modules starts sooner.
sed -i '/^config I2C_STUB$/,/^config /{/depends on m/d}' drivers/i2c/Kconfig

say "configure"
{
  make -s ARCH=um tinyconfig
  while read -r name; do
    case $name in '' | '#'*) ;; '!'*) scripts/config -d "${name#!}" ;; *) scripts/config -e "$name" ;; esac
  done <"$here/config"
  make -s ARCH=um olddefconfig
} >"$log" 2>&1 || { tail -20 "$log"; echo "kernel: it cannot be configured, see $log"; exit 1; }
missing=()
while read -r name; do
  case $name in '' | '#'* | '!'*) continue ;; esac
  grep -qx "CONFIG_$name=y" .config || missing+=("$name")
done <"$here/config"
((${#missing[@]} == 0)) || { echo "kernel: not taken, see what they depend on: ${missing[*]}"; exit 1; }

jobs=$(nproc)
say "compile, $jobs at a time: two to four minutes on two processors"
timeout -k 5 $((limit > SECONDS ? limit - SECONDS : 1)) make -j"$jobs" ARCH=um linux >"$log" 2>&1 &
make=$!
while sleep 1; kill -0 $make 2>/dev/null; do
  ((SECONDS % 20)) || say "$(grep -c '^  CC' "$log" || true) files compiled"
done
wait $make || { grep -iE 'error|\*\*\*' "$log" | head -20; tail -5 "$log"; echo "kernel: it does not build, see $log"; exit 1; }

strip -o "$keep/linux.new" linux
mv "$keep/linux.new" "$keep/linux"
echo "$key" >"$keep/key"
say "built, $(($(stat -c %s "$keep/linux") / 1000)) kB"
echo "$keep/linux"
