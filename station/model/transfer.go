//go:build !sftp

package model

// transfers are the ways in which this build transfers files.
const transfers = "FTP,FTPS,HTTP,HTTPS"
