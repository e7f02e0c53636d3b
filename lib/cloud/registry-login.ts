/** The values of `spec.provider` that stand for a cloud. */
export const CLOUDS = ['aws', 'azure', 'gcp'] as const;
export type CloudName = (typeof CLOUDS)[number];

/** What opens a registry for a time. */
export interface RegistryLogin {
  username: string;
  password: string;
  /** Epoch in ms. */
  expiresAt: number;
}

/** A cloud whose registries are opened by an identity of this process: one file a cloud, and a line in `registry-logins.ts`. */
export interface RegistryCloud {
  /** Whether a host is a registry of the cloud; a login is shown to no other. */
  owns(host: string): boolean;
  /** @throws Error saying what failed, without secrets */
  login(host: string, signal: AbortSignal): Promise<RegistryLogin>;
}

/** The text of a field of an answer. @throws Error naming who answered */
export function fieldOf(text: string, field: string, who: string): string {
  let value: unknown;
  try {
    value = (JSON.parse(text) as Record<string, unknown> | null)?.[field];
  } catch {
    value = undefined;
  }
  if (typeof value === 'string' && value !== '') return value;
  throw new Error(`${who} gave no ${field}`);
}

/** How long the token of an answer is good, in ms: `expires_in` in seconds, which some write as a text. 0 when it does not say. */
export function lifetimeOf(text: string): number {
  const { expires_in: seconds } = JSON.parse(text) as { expires_in?: unknown };
  const value = Number(seconds) * 1_000;
  return Number.isFinite(value) ? value : 0;
}
