package boards

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// ErrNoSerial is a board whose file does not say where its serial number is.
var ErrNoSerial = errors.New("the board file names no serial number (board.serial)")

// Read reads the board's serial number, below root.
func (s Serial) Read(root string) (string, error) {
	if s.Text != "" {
		return s.Text, nil
	}
	if s.File == "" {
		return "", ErrNoSerial
	}
	f, err := os.Open(filepath.Join(root, s.File))
	if err != nil {
		return "", fmt.Errorf("read serial number: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, int64(s.Offset), int64(s.Length)))
	if err != nil {
		return "", fmt.Errorf("read serial number: %w", err)
	}
	if i := bytes.IndexAny(b, "\x00\n\r"); i >= 0 {
		b = b[:i]
	}
	if i := bytes.IndexByte(b, 0xFF); i >= 0 { // an EEPROM that was never written
		b = b[:i]
	}
	b = bytes.TrimSpace(b)
	for _, c := range b {
		if c < ' ' || c > '~' {
			return "", fmt.Errorf("read serial number: %s at %#x: byte %#02x is no letter: write the number as text, closed by a zero", s.File, s.Offset, c)
		}
	}
	if len(b) == 0 {
		return "", fmt.Errorf("read serial number: %s at %#x is empty: it was never written", s.File, s.Offset)
	}
	return string(b), nil
}
