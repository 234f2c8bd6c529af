// Package packaging has what makes packages of the binary: package.sh for Debian (.deb) and OpenWrt (.ipk), a Buildroot package and a
// Yocto recipe, and tests that unpack, install and remove what can be installed without such a system.
package packaging
