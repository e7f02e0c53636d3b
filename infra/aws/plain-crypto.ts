/** What stands in the place of this global in a bundle. */
export { PlainCrypto as crypto } from '../../functions/aws/plain-crypto.ts';
