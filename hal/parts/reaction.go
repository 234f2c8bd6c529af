package parts

import (
	"math/bits"
	"time"
)

// Reaction counts times in bins that are at most 1/32 wide of what they hold: without an allocation, and for as long as a guard
// lives.
type Reaction struct {
	Count uint64
	Max   time.Duration
	bins  [64 * binsEach]uint32
}

// binsEach is how many bins each power of two has.
const binsEach = 32

func binOf(d time.Duration) int {
	n := uint64(max(d, 0))
	if n < binsEach {
		return int(n)
	}
	exp := bits.Len64(n) - 6 // n >> exp is 32 to 63
	return (exp+1)*binsEach + int(n>>exp) - binsEach
}

// upper is the greatest time of a bin.
func upper(bin int) time.Duration {
	if bin < binsEach {
		return time.Duration(bin)
	}
	exp := bin/binsEach - 1
	return time.Duration(uint64(bin%binsEach+binsEach+1)<<exp - 1)
}

func (r *Reaction) add(d time.Duration) {
	r.Count++
	r.Max = max(r.Max, d)
	r.bins[binOf(d)]++
}

// Quantile returns the time that per of a million are not above, rounded up to the end of its bin.
func (r *Reaction) Quantile(per uint64) time.Duration {
	if r.Count == 0 {
		return 0
	}
	rank := max((r.Count*per+999_999)/1_000_000, 1)
	for bin, sum := 0, uint64(0); bin < len(r.bins); bin++ {
		if sum += uint64(r.bins[bin]); sum >= rank {
			return min(upper(bin), r.Max)
		}
	}
	return r.Max
}
