package slot

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/evsed/evsed/storage/slot/image"
)

// readHeader reads what stands before the payload of a slot. ErrNothing when nothing does.
func readHeader(files Files, n Name) (image.Header, int64, error) {
	f, err := files.Read(headName(n))
	if errors.Is(err, fs.ErrNotExist) {
		return image.Header{}, 0, ErrNothing
	}
	if err != nil {
		return image.Header{}, 0, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return image.Header{}, 0, err
	}
	if size > int64(image.MaxHeader) {
		return image.Header{}, 0, fmt.Errorf("%w: header of %d bytes", image.ErrFormat, size)
	}
	b := make([]byte, size)
	if n, err := f.ReadAt(b, 0); err != nil && (err != io.EOF || n < len(b)) {
		return image.Header{}, 0, err
	}
	h, err := image.ParseHeader(b)
	return h, size, err
}

// verify opens the payload of a slot and checks image and payload through that one descriptor, which it returns. accept has
// its say between: after the signature, before the long part. now: see image.Trust.
func verify(files Files, trust *image.Trust, n Name, now time.Time, accept func(Manifest) error) (File, Manifest, error) {
	h, _, err := readHeader(files, n)
	if err != nil {
		return nil, Manifest{}, err
	}
	if err := trust.Verify(h, now); err != nil {
		return nil, h.Manifest, err
	}
	if err := accept(h.Manifest); err != nil {
		return nil, h.Manifest, err
	}
	f, err := files.Read(payloadName(n))
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: no payload", image.ErrTruncated)
	}
	if err != nil {
		return nil, h.Manifest, err
	}
	if err := checkPayload(f, h.Manifest); err != nil {
		_ = f.Close()
		return nil, h.Manifest, err
	}
	return f, h.Manifest, nil
}

func checkPayload(f File, m Manifest) error {
	if h, ok := f.(holder); ok {
		if err := h.hold(); err != nil {
			return err
		}
	}
	return m.CheckPayload(io.NewSectionReader(f, 0, m.Length+1))
}
