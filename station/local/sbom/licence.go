package sbom

// modules are those that a build may link, with some tag or other, and their licences in words of SPDX. A test holds each
// against the text that comes with the module.
var modules = map[string]string{
	"github.com/coder/websocket":                    "ISC",
	"github.com/coreos/go-systemd/v22":              "Apache-2.0",
	"github.com/godbus/dbus/v5":                     "BSD-2-Clause",
	"github.com/google/go-tpm":                      "Apache-2.0",
	"github.com/jlaffaye/ftp":                       "ISC",
	"github.com/kr/fs":                              "BSD-3-Clause",
	"github.com/landlock-lsm/go-landlock":           "MIT",
	"github.com/pkg/sftp":                           "BSD-2-Clause",
	"github.com/warthog618/go-gpiocdev":             "MIT",
	"go.bug.st/serial":                              "BSD-3-Clause",
	"go.etcd.io/bbolt":                              "MIT",
	"go.yaml.in/yaml/v3":                            "MIT AND Apache-2.0",
	"golang.org/x/crypto":                           "BSD-3-Clause",
	"golang.org/x/sys":                              "BSD-3-Clause",
	"kernel.org/pub/linux/libs/security/libcap/psx": "BSD-3-Clause OR GPL-2.0-only",
}

// Licence returns the licence of a module.
func Licence(path string) (spdx string, ok bool) {
	spdx, ok = modules[path]
	return spdx, ok
}
