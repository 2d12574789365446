/** All that a verifier outside of a page takes from here: `scripts/verify.mjs`. */
export { Keyring } from '../sealed/keyring';
export { NoBundle } from './files';
export { keysOf, listOf } from './keys';
export { certificatesOf } from './stamp/certificate';
export { verify } from './verify';
