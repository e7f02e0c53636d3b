import type { Problem } from '../core/validate.ts';

/** An entry of a list, of which anything but the names read here may be wrong or missing. */
interface Entry {
  name?: unknown;
  source?: { provider?: unknown } | null;
}

/**
 * What is wrong with the names in a fleet file: they must be unique in their list, and a provider that a cluster names must exist.
 * @param fleet the file's content, of which other parts may be wrong
 */
export function checkNames(fleet: unknown): Problem[] {
  const clusters = entriesOf(fleet, 'clusters');
  const providers = entriesOf(fleet, 'providers');
  const names = new Set(providers.map((provider) => provider?.name));
  const missing = clusters.flatMap((cluster, index) => {
    const provider = cluster?.source?.provider;
    if (typeof provider !== 'string' || names.has(provider)) return [];
    return [problem(['clusters', index, 'source', 'provider'], `there is no provider ${provider}`)];
  });
  const registries = entriesOf(fleet, 'registries');
  return [
    ...duplicates('clusters', clusters),
    ...duplicates('providers', providers),
    ...duplicates('registries', registries),
    ...missing,
  ];
}

function problem(path: Problem['path'], message: string): Problem {
  return { path, message, unknown: false };
}

function entriesOf(fleet: unknown, list: string): (Entry | null | undefined)[] {
  const entries = (fleet as Record<string, unknown> | null | undefined)?.[list];
  return Array.isArray(entries) ? entries : [];
}

function duplicates(list: string, entries: readonly (Entry | null | undefined)[]): Problem[] {
  const seen = new Set<string>();
  return entries.flatMap((entry, index) => {
    const name = entry?.name;
    if (typeof name !== 'string') return [];
    if (seen.has(name)) return [problem([list, index, 'name'], `${name} is already taken`)];
    seen.add(name);
    return [];
  });
}
