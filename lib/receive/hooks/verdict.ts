import type { HookVerdict } from './hook-type.ts';

/** The verdict of a signature. */
export function signed(valid: boolean): HookVerdict {
  return valid ? { ok: true } : { ok: false, why: 'the signature is missing or wrong' };
}

/** The verdict of a type that cannot sign: that the path is known proves all there is to prove. */
export async function pathIsKnown(): Promise<HookVerdict> {
  return { ok: true };
}
