/** What of `jose` is used. Named here, so that a bundle which loads it when it is first needed leaves the rest out. */
export { createLocalJWKSet, errors, jwtVerify } from 'jose';
