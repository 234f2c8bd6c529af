SUMMARY = "Agent of an EV charging station"
DESCRIPTION = "Drives the wires of a charge controller by a board file, and speaks OCPP 1.2 to 2.1 to its CSMS."
HOMEPAGE = "https://github.com/evsed/evsed"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://src/${GO_IMPORT}/LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"

GO_IMPORT = "github.com/evsed/evsed"
GO_INSTALL = "${GO_IMPORT}/cmd/evsed"
SRC_URI = "git://${GO_IMPORT};protocol=https;branch=main;destsuffix=${BPN}-${PV}/src/${GO_IMPORT}"
SRCREV = "v${PV}"

inherit go-mod systemd useradd

# One static binary; modules come from the proxy of the build, or from a vendored tarball without a network.
CGO_ENABLED = "0"
GOBUILDFLAGS:append = " -trimpath -tags nethttpomithttp2"
GO_EXTRA_LDFLAGS = "-s -w -X main.release=${PV}"
do_compile[network] = "1"

SYSTEMD_SERVICE:${PN} = "evsed.service"
SYSTEMD_AUTO_ENABLE = "enable"

USERADD_PACKAGES = "${PN}"
GROUPADD_PARAM:${PN} = "--system gpio; --system i2c; --system spi"
USERADD_PARAM:${PN} = "--system --home-dir /var/lib/evsed --no-create-home --shell /sbin/nologin --user-group --groups dialout,gpio,i2c,spi evsed"

do_install:append() {
    src=${S}/src/${GO_IMPORT}
    install -D -m 0644 $src/scripts/systemd/evsed.service ${D}${systemd_system_unitdir}/evsed.service
    install -D -m 0644 $src/scripts/systemd/evsed-guard.service ${D}${systemd_system_unitdir}/evsed-guard.service
    install -D -m 0644 $src/scripts/systemd/evsed.tmpfiles ${D}${nonarch_libdir}/tmpfiles.d/evsed.conf
    install -D -m 0644 $src/scripts/package/files/70-evsed.rules ${D}${nonarch_base_libdir}/udev/rules.d/70-evsed.rules
    install -D -m 0644 $src/scripts/package/files/evsed.default ${D}${sysconfdir}/default/evsed
}

CONFFILES:${PN} = "${sysconfdir}/default/evsed"
FILES:${PN} += "${systemd_system_unitdir} ${nonarch_libdir}/tmpfiles.d ${nonarch_base_libdir}/udev"
INSANE_SKIP:${PN} += "already-stripped"
