// Package licences holds the licences that the product states against the texts that come with its modules.
package licences
