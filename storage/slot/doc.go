// Package slot keeps two copies of the evsed binary, of which one runs while the other is replaced, and starts a new one on
// trial: what does not prove itself gives way to what ran before.
package slot
