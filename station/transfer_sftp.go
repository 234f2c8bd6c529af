//go:build sftp

package station

// sftp says whether this build transfers files by SFTP.
const sftp = true
