// Package image is the file in which a manufacturer ships evsed: a manifest, a signature over it, and the payload whose digest
// it holds. Nothing of it is executed, unpacked or interpreted before the signature has been found right.
package image
