// Package msg16 is the vocabulary of OCPP 1.6 and its security whitepaper: one type for each message and part, with
// encoders and decoders that check in the same pass what the schemas ask.
package msg16
