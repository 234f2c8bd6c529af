// Package transfer takes a file to where a CSMS wants it, and fetches one from where a CSMS has it: by HTTP and FTP, with and
// without TLS, and by SFTP in a build with the tag sftp.
//
// Put: CSMSs take a file by PUT, at the address that they gave or, where that ends with a slash, at the file's name behind it
// (N01.FR.21, N01.FR.29). One that knows no PUT says so, and gets a POST (N01.FR.18, N01.FR.19).
//
// Get: one attempt goes on where the one before was cut, if server and file allow it. What is fetched is bounded in size, time
// and silence, and is never unpacked. Whether it is worth anything says its signature, not this package.
//
// An address may hold credentials, which are shown to that host alone and stand in no error. Redirects are not followed
// (N01.FR.30): not for uploads, where the specification says so, and not for downloads, where they would lead a station into
// networks that the CSMS cannot reach itself. For the same reason a station does not go to itself: see Refuse.
//
// A server's certificate is held against Client.Roots: the CSMS's own authorities (N01.FR.15) and, where the fitter wants it,
// those of the operating system (N01.FR.16).
package transfer
