import { EngineFault, EngineProcess, type OnCall, type StartProcess } from './engine-process.ts';

/** Private keys, as texts of key files. */
export interface Decryption {
  /** age key files (`*.agekey`): one or more `AGE-SECRET-KEY-…` lines. */
  ageIdentities: readonly string[];
  /** OpenPGP private keys (`*.asc`), armored, without a passphrase. */
  pgpKeys: readonly string[];
}

/** Answers the engine's requests for data keys. */
export interface KeyService {
  onCall: OnCall;
  close(): void;
}

/** Limit for opening one data key, in ms. */
const TIMEOUT = 20_000;

/**
 * Opens data keys in a process of its own, started when the first one is needed: private keys are never in the memory of a
 * process that reads a tenant's manifests.
 */
export function createKeyService(
  start: StartProcess,
  command: string,
  args: readonly string[],
  decryption: Decryption,
): KeyService {
  let loading: Promise<EngineProcess> | undefined;

  async function load(): Promise<EngineProcess> {
    const process = new EngineProcess(start(command, args));
    const { header } = await process.request(
      { op: 'keys', ageKeys: decryption.ageIdentities, pgpKeys: decryption.pgpKeys },
      { timeout: TIMEOUT },
    );
    if (header.ok === true) return process;
    process.kill();
    throw new EngineFault(String(header.error));
  }

  return {
    async onCall(call) {
      if (call.call !== 'unwrap') return { error: `unknown call ${call.call}` };
      try {
        loading ??= load();
        const process = await loading;
        const { header } = await process.request(
          { op: 'unwrap', wrapped: call.wrapped },
          { timeout: TIMEOUT },
        );
        return header.ok === true ? { dataKey: header.dataKey } : { error: String(header.error) };
      } catch (error) {
        return { error: error instanceof Error ? error.message : String(error) };
      }
    },
    close() {
      loading?.then(
        (process) => process.kill(),
        () => {},
      );
    },
  };
}
