package faultfs

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
)

// PageSize is what a database writes as a whole.
const PageSize = 4096

// Changed lists the numbers of the pages in which after differs from before; what is not there reads as zeros.
func Changed(before, after []byte) []int {
	var pages []int
	for at := 0; at < len(after); at += PageSize {
		page := after[at:min(at+PageSize, len(after))]
		if old := at + len(page); old > len(before) || !bytes.Equal(before[at:old], page) {
			pages = append(pages, at/PageSize)
		}
	}
	return pages
}

// Partly is a file in the middle of the update that leads from before to after: of its pages those for which keep says
// so are on the device, sector by sector where torn is true. The file has its new size already.
func Partly(before, after []byte, torn bool, keep func(page int) bool) []byte {
	out := make([]byte, len(after))
	copy(out, before)
	for _, page := range Changed(before, after) {
		step := PageSize
		if torn {
			step = SectorSize
		}
		for at := page * PageSize; at < min((page+1)*PageSize, len(after)); at += step {
			if keep(page) {
				copy(out[at:min(at+step, len(out))], after[at:])
			}
		}
	}
	return out
}

// Hurt returns a copy of an image with one random sector zeroed or one random bit in it flipped, and says where. from and
// to bound the bytes that may be hit.
func Hurt(rng *rand.Rand, image []byte, from, to int) (what string, hurt []byte) {
	hurt = slices.Clone(image)
	sector := (from + rng.IntN(to-from)) / SectorSize * SectorSize
	part := hurt[sector:min(sector+SectorSize, len(hurt))]
	if rng.IntN(2) == 0 {
		clear(part)
		return fmt.Sprintf("sector at %d zeroed", sector), hurt
	}
	at := rng.IntN(len(part))
	part[at] ^= 1 << rng.IntN(8)
	return fmt.Sprintf("bit flipped at %d", sector+at), hurt
}

// Content returns what the device holds of a file, nil if it is not there.
func (f *FS) Content(name string) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if nd := f.stable[name]; nd != nil {
		return slices.Clone(nd.device)
	}
	return nil
}
