################################################################################
#
# evsed
#
################################################################################

EVSED_VERSION = 0.1.0
EVSED_SITE = $(call github,evsed,evsed,v$(EVSED_VERSION))
EVSED_LICENSE = Apache-2.0
EVSED_LICENSE_FILES = LICENSE
EVSED_GOMOD = github.com/evsed/evsed
EVSED_BUILD_TARGETS = cmd/evsed
EVSED_INSTALL_BINS = evsed
EVSED_TAGS = nethttpomithttp2
EVSED_LDFLAGS = -s -w -X main.release=$(EVSED_VERSION)
EVSED_GO_ENV = CGO_ENABLED=0

ifeq ($(BR2_PACKAGE_EVSED_SFTP),y)
EVSED_TAGS += sftp
endif

define EVSED_USERS
	evsed -1 evsed -1 * /var/lib/evsed - dialout Charging station
endef

define EVSED_PERMISSIONS
	/etc/evsed d 750 0 evsed - - - - -
	/var/lib/evsed d 700 evsed evsed - - - - -
endef

define EVSED_INSTALL_FILES
	$(INSTALL) -d $(TARGET_DIR)/etc/evsed $(TARGET_DIR)/var/lib/evsed
	$(INSTALL) -D -m 0644 $(@D)/scripts/package/files/evsed.default \
		$(TARGET_DIR)/etc/default/evsed
	$(INSTALL) -D -m 0644 $(@D)/scripts/package/files/70-evsed.rules \
		$(TARGET_DIR)/usr/lib/udev/rules.d/70-evsed.rules
endef
EVSED_POST_INSTALL_TARGET_HOOKS += EVSED_INSTALL_FILES

EVSED_BOARD_FILE = $(call qstrip,$(BR2_PACKAGE_EVSED_BOARD))
ifneq ($(EVSED_BOARD_FILE),)
define EVSED_INSTALL_BOARD
	$(INSTALL) -D -m 0644 $(EVSED_BOARD_FILE) \
		$(TARGET_DIR)/etc/evsed/board.yaml
endef
EVSED_POST_INSTALL_TARGET_HOOKS += EVSED_INSTALL_BOARD
endif

define EVSED_INSTALL_INIT_SYSTEMD
	$(INSTALL) -D -m 0644 $(@D)/scripts/systemd/evsed.service \
		$(TARGET_DIR)/usr/lib/systemd/system/evsed.service
	$(INSTALL) -D -m 0644 $(@D)/scripts/systemd/evsed-guard.service \
		$(TARGET_DIR)/usr/lib/systemd/system/evsed-guard.service
endef

define EVSED_INSTALL_INIT_SYSV
	$(INSTALL) -D -m 0755 $(EVSED_PKGDIR)/S95evsed \
		$(TARGET_DIR)/etc/init.d/S95evsed
endef

$(eval $(golang-package))
