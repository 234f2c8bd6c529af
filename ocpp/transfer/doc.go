// Package transfer puts a file where a CSMS wants it, by HTTP.
//
// CSMSs take a file by PUT, at the address that they gave or, where that ends with a slash, at the file's name behind it
// (N01.FR.21, N01.FR.29). One that knows no PUT says so, and gets a POST (N01.FR.18, N01.FR.19). The address may hold
// credentials, which are shown to that host alone and stand in no error. Redirects are not followed (N01.FR.30).
//
// The server's certificate is held against the authorities that the operating system trusts.
package transfer
