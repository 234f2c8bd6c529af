package image

import "errors"

// Why an image is refused. Every refusal wraps one of them.
var (
	ErrFormat    = errors.New("not a firmware image")
	ErrTruncated = errors.New("image is cut short")
	ErrSize      = errors.New("image is too large")
	ErrUnsigned  = errors.New("image is not signed")
	ErrKey       = errors.New("signer is not trusted")
	ErrExpired   = errors.New("signer's certificate is not valid at this time")
	ErrSignature = errors.New("signature is wrong")
	ErrDigest    = errors.New("payload is not the one that was signed")
	ErrHardware  = errors.New("image is for other hardware")
	ErrTarget    = errors.New("image is for another kind of processor or program")
	ErrOlder     = errors.New("image is older than what runs here")
	ErrAgent     = errors.New("image wants a newer evsed to install it")
)

// Refuses tells whether err is about an image, and not about the device that it lies on.
func Refuses(err error) bool {
	for _, r := range []error{ErrFormat, ErrTruncated, ErrSize, ErrUnsigned, ErrKey, ErrExpired, ErrSignature, ErrDigest, ErrHardware, ErrTarget, ErrOlder, ErrAgent} {
		if errors.Is(err, r) {
			return true
		}
	}
	return false
}
