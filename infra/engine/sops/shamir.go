package sops

import "errors"

// combine reconstructs a secret from Shamir shares over GF(2^8) with the polynomial of AES; the last byte of a share is its x.
func combine(shares [][]byte) ([]byte, error) {
	if len(shares) < 2 {
		return nil, errors.New("a divided key needs at least two shares")
	}
	size := len(shares[0])
	seen := map[byte]bool{}
	for _, share := range shares {
		if len(share) != size || size < 2 {
			return nil, errors.New("the shares of a divided key differ in length")
		}
		x := share[size-1]
		if seen[x] || x == 0 {
			return nil, errors.New("the shares of a divided key are not distinct")
		}
		seen[x] = true
	}
	secret := make([]byte, size-1)
	for i, share := range shares {
		// Lagrange basis polynomial at 0; subtraction is XOR.
		basis := byte(1)
		for j, other := range shares {
			if i != j {
				basis = multiply(basis, divide(other[size-1], other[size-1]^share[size-1]))
			}
		}
		for position := range secret {
			secret[position] ^= multiply(share[position], basis)
		}
	}
	return secret, nil
}

func multiply(a, b byte) byte {
	var product byte
	for ; b > 0; b >>= 1 {
		if b&1 == 1 {
			product ^= a
		}
		carry := a&0x80 != 0
		a <<= 1
		if carry {
			a ^= 0x1b
		}
	}
	return product
}

// divide multiplies by the inverse, which is the 254th power.
func divide(a, b byte) byte {
	inverse := byte(1)
	for range 254 {
		inverse = multiply(inverse, b)
	}
	return multiply(a, inverse)
}
