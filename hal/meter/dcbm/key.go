package dcbm

import (
	"bytes"
	"context"
	"fmt"
)

// PublicKey asks the meter for the key of what it signs, as it gives it (SubjectPublicKeyInfo).
func (m *Meter) PublicKey(ctx context.Context) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.key == nil {
		if _, err := m.status(ctx); err != nil {
			return nil, fmt.Errorf("read public key of meter at %s: %w", m.base, err)
		}
	}
	return bytes.Clone(m.key), nil
}
