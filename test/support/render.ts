import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { enginePath } from '../../infra/engine/location.ts';
import { createEngine, type Engine, type EngineOptions } from '../../lib/render/engine.ts';
import { type Decryption, type Rendered, render } from '../../lib/render/render.ts';
import type { Kustomization } from '../../lib/toolkit/kustomization.ts';
import { tarOf } from './tar-of.ts';

/** Files of a source tree by path. */
export type Files = Record<string, string | Uint8Array>;

/** The real engine; close it when the suite ends. */
export function testEngine(options: Partial<EngineOptions> = {}): Engine {
  const path = enginePath();
  if (!existsSync(path)) throw new Error(`the engine is not built; run: npm run build:engine (${path})`);
  return createEngine({ path, processes: 2, ...options });
}

/** A Kustomization with the fields of its spec that matter to a test. */
export function kustomization(spec: Partial<Kustomization['spec']> = {}): Kustomization {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'apps', namespace: 'flux-system' },
    spec: {
      interval: '10m',
      prune: true,
      force: false,
      sourceRef: { kind: 'GitRepository', name: 'fleet' },
      ...spec,
    },
  };
}

/** What a render of a test may set beside files and spec. */
export interface RenderSettings {
  variables?: Record<string, string>;
  decryption?: Decryption;
  tenant?: string;
  signal?: AbortSignal;
}

/** Renders a Kustomization of files given in the test. */
export function renderFiles(
  engine: Engine,
  files: Files,
  spec: Partial<Kustomization['spec']> = {},
  settings: RenderSettings = {},
): Promise<Rendered> {
  const archive = tarOf(files);
  return render(engine, {
    kustomization: kustomization(spec),
    artifactDigest: `sha256:${createHash('sha256').update(archive).digest('hex')}`,
    readTree: async () => archive,
    variables: settings.variables ?? {},
    tenant: settings.tenant ?? 'production/flux-system',
    ...(settings.decryption ? { decryption: settings.decryption } : {}),
    ...(settings.signal ? { signal: settings.signal } : {}),
  });
}

/** All files below a folder, by path relative to it. */
export function filesBelow(folder: string): Files {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(folder, path), readFileSync(path)];
    }),
  );
}

/** A ConfigMap as YAML. */
export function configMap(name: string, data: Record<string, string> = { key: 'value' }): string {
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data })}\n`;
}
