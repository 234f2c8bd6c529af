package floors

// Floor is a storey of the house; a package imports only from lower ones.
type Floor int

// The floors, lowest first. Up to and including Core and Dialects (Pure says
// which) there is no goroutine, no clock and no I/O.
const (
	Words    Floor = iota // F0: units, nouns, HAL values, wire message types
	Blocks                // F1: functional blocks; none imports another
	Core                  // F2: the hall between the blocks
	Dialects              // F3: meaning to wire and back
	Devices               // F4: drivers, guard, storage
	Services              // F5: loop, links, local interfaces, board files
	Wiring                // F6: subcommands
	Tools                 // scripts: build, test benches, packaging; nobody imports them
)

// Pure says whether packages of floor f are below the line.
func (f Floor) Pure() bool { return f <= Dialects }

// Place puts the packages that match Pattern (path.Match on the path below the
// module) on a floor.
type Place struct {
	Pattern string
	Floor   Floor
}

// Arrow is one allowed import between two packages of the same floor.
type Arrow struct{ From, To string }

// Rules is what a tree is checked against.
type Rules struct {
	Module string
	Places []Place // the first match counts; a package without a place is a finding
	Arrows []Arrow // exceptions to "only a lower floor"

	// NoWire are patterns of packages that know meaning alone: they import
	// nothing that matches Wire, although it is on a lower or equal floor.
	NoWire, Wire []string

	// Context are patterns of pure packages that may import context, for
	// method signatures.
	Context []string

	// HALPackage is the package whose interfaces only HALUsers may name: who
	// cannot name one cannot call it.
	HALPackage string
	HALUsers   []string

	// Exec are patterns of packages that may import os/exec outside tests.
	Exec []string

	// WarnLines and MaxLines bound a source file; generated files and testdata
	// are free.
	WarnLines, MaxLines int
}

// House is the table of this module.
var House = Rules{
	Module: "github.com/evsed/evsed",
	Places: []Place{
		{"hal/unit", Words},
		{"station/term", Words},
		{"hal", Words},
		{"ocpp/msg[0-9]*", Words},
		{"ocpp/rpc", Words},
		{"ocpp/rpc/*", Words},
		{"ocpp/soap", Words},
		{"ev15118/exi", Words},
		{"ev15118/din", Words},
		{"ev15118/iso2", Words},
		{"ev15118/iso20", Words},
		{"ev15118/v2gtp", Words},
		{"ev15118/sdp", Words},
		{"ev15118/slac", Words},

		{"station/iec61851", Blocks},
		{"station/model", Blocks},
		{"station/auth", Blocks},
		{"station/transaction", Blocks},
		{"station/sampling", Blocks},
		{"station/limit", Blocks},
		{"station/schedule", Blocks},
		{"station/reserve", Blocks},
		{"station/tariff", Blocks},
		{"station/update", Blocks},
		{"station/diag", Blocks},
		{"station/display", Blocks},
		{"station/cert", Blocks},

		{"station", Core},
		{"station/stationtest", Core},

		{"ocpp", Dialects},
		{"ocpp/dialect[0-9]*", Dialects},
		{"ev15118/secc", Dialects},

		{"station/guard", Devices},
		{"station/guard/*", Devices},
		{"storage", Devices},
		{"storage/*", Devices},
		{"storage/slot/*", Devices},
		{"hal/*", Devices},
		{"hal/*/*", Devices},
		{"ocpp/link/faultnet", Devices},

		{"station/run", Services},
		{"station/local/*", Services},
		{"ocpp/link", Services},
		{"ocpp/transfer", Services},
		{"ocpp/csms", Services},
		{"ocpp/controller", Services},
		{"ev15118/link", Services},
		{"boards", Services},
		{"boards/*", Services},

		{"cmd/*", Wiring},
		{"scripts/*", Tools},
		{"scripts/*/*", Tools},
	},
	Arrows: []Arrow{
		{"station/term", "hal/unit"},
		{"hal", "hal/unit"},
		{"hal", "station/term"},
		{"station/stationtest", "station"},
		{"station/guard/*", "station/guard"},
		{"ocpp/msg*", "ocpp/rpc"},
		{"ocpp/msg*", "ocpp/rpc/*"},
		{"ocpp/rpc/*", "ocpp/rpc"},
		{"ocpp/rpc/layouttest", "ocpp/rpc/layout"},
		{"ocpp/soap", "ocpp/rpc"},
		{"ocpp/dialect*", "ocpp"},
		{"ocpp/dialect15", "ocpp/dialect16"},
		{"storage", "storage/*"},
		{"storage/faultfs", "storage/journal"},
		{"storage/seclog", "storage/journal"},
		{"storage/slot", "storage/slot/image"},
		{"storage/slot", "storage/journal"},
		{"storage/slot/rauc", "storage/slot"},
		{"storage/slot/rauc", "storage/slot/image"},
		{"storage/locallist", "storage"},
		{"storage/keys", "storage/journal"},
		{"hal/parts", "hal/*"},
		{"hal/*", "hal/sysfs"},
		{"hal/mcu/*", "hal/mcu"},
		{"hal/serial", "hal/serial/pty"},
		{"hal/meter", "hal/modbus"},
		{"hal/meter/dcbm", "hal/meter"},
		{"hal/meter/dcbm", "hal/meter/ocmf"},
		{"hal/halsim", "hal/meter/ocmf"},
		{"hal/meter/iskra", "hal/meter"},
		{"hal/meter/iskra", "hal/meter/ocmf"},
		{"hal/meter/iskra", "hal/modbus"},
		{"hal/isolation", "hal/modbus"},
		{"hal/rectifier", "hal/can"},
		{"hal/i2c/*", "hal/i2c"},
		{"hal/spi/*", "hal/spi"},
		{"hal/rfid/*", "hal/rfid"},
		{"hal/rfid/*", "hal/rfid/*"},
		{"hal/rfid/*", "hal/gpio"},
		{"hal/rfid/*", "hal/i2c"},
		{"hal/rfid/*", "hal/spi"},
		{"hal/rfid/*", "hal/serial"},
		{"hal/light", "hal/gpio"},
		{"hal/light", "hal/pwm"},
		{"hal/fan", "hal/gpio"},
		{"hal/fan", "hal/pwm"},
		{"hal/display", "hal/i2c"},
		{"boards/*", "boards"},
		{"boards", "station/local/strict"},
		{"boards/bench", "boards/fit"},
		{"boards/dryrun", "boards/*"},
		{"boards/bringup", "boards/*"},
		{"boards/seal", "boards/*"},
		{"boards/bench", "station/local/virtual"},
		{"boards/fit", "station/local/virtual"},
		{"station/local/*", "station/run"},
		{"station/local/virtual", "ocpp/link"},
		{"station/local/virtual", "ocpp/transfer"},
		{"station/local/virtual", "station/local/logbook"},
		{"station/local/*", "station/local/strict"},
		{"station/local/cases", "station/local/sim"},
		{"station/local/cases", "station/local/virtual"},
	},
	NoWire:  []string{"station", "station/term", "station/*", "hal", "hal/unit"},
	Wire:    []string{"ocpp", "ocpp/*", "ev15118/*"},
	Context: []string{"hal"},

	HALPackage: "hal",
	HALUsers: []string{
		"hal", "hal/*", "hal/*/*", "station/guard", "station/run", "station/local/virtual", "boards", "boards/*", "cmd/*", "scripts/years",
	},

	Exec: []string{"scripts/*", "scripts/*/*", "station/guard/realtime"},

	WarnLines: 500,
	MaxLines:  700,
}

// bannedImports are what a pure package does not import: a name stands for
// itself and for everything below it.
var bannedImports = []string{
	"net", "os", "context", "sync", "math/rand", "crypto/rand",
	"syscall", "golang.org/x/sys", "log", "io/ioutil",
}

// bannedCalls are what a pure package does not name, by import path.
var bannedCalls = map[string][]string{
	"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"},
	"fmt":  {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
}

// slogValues are the names of log/slog that a LogValue method needs; a pure
// package that names anything else of it would log.
var slogValues = []string{
	"Value", "LogValuer", "Attr", "Kind",
	"AnyValue", "BoolValue", "DurationValue", "Float64Value", "GroupValue", "Int64Value",
	"IntValue", "StringValue", "TimeValue", "Uint64Value",
	"Any", "Bool", "Duration", "Float64", "Group", "GroupAttrs", "Int", "Int64", "String", "Time", "Uint64",
}
