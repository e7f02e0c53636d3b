import { closeSync, existsSync, mkdtempSync, openSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file that only our own child processes can read, as long as it is open. */
export interface PrivateFile {
  /** Where a child process opens it. */
  path: string;
  close(): void;
}

/**
 * Hands something secret to child processes by a path, so that it stands neither in arguments nor in the environment. Where
 * `/proc` exists the file has no name any more once this returns (children reach it through our open descriptor), so even a
 * killed process leaves nothing behind; elsewhere it is a 0600 file in a directory of its own until closed.
 * @param directory an existing directory for temporary files. Default: the system's.
 */
export function createPrivateFile(contents: string | Uint8Array, directory: string = tmpdir()): PrivateFile {
  const folder = mkdtempSync(join(directory, 'slipway-private-'));
  const named = join(folder, 'file');
  const descriptor = openSync(named, 'wx+', 0o600);
  let hidden = false;
  try {
    const bytes = Buffer.from(contents);
    for (let offset = 0; offset < bytes.length; ) offset += writeSync(descriptor, bytes, offset);
    if (existsSync(`/proc/${process.pid}/fd/${descriptor}`)) {
      unlinkSync(named);
      rmSync(folder, { recursive: true });
      hidden = true;
    }
  } catch (error) {
    closeSync(descriptor);
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  let open = true;
  return {
    path: hidden ? `/proc/${process.pid}/fd/${descriptor}` : named,
    close() {
      if (!open) return;
      open = false;
      closeSync(descriptor);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
