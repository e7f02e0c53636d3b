import { sha256 } from '../../../lib/core/digest.ts';
import { gitRevision } from '../../../lib/core/revision.ts';
import type { Fleet } from '../../../lib/fleet/fleet.ts';
import { loadFleet } from '../../../lib/fleet/load-fleet.ts';
import type { Engine } from '../../../lib/render/engine.ts';
import type { SourceKind } from '../../../lib/source/source.ts';
import { createTar } from '../../../lib/tar.ts';
import type { GitRepository } from '../../../lib/toolkit/git-repository.ts';
import { configMap, gitRepository, kustomization } from '../../support/fleet-repository.ts';

/** What stands in the clusters of a fleet in which nothing happens. */
export interface IdleFleet {
  clusters: number;
  /** Toolkit objects in each cluster, the two roots among them. */
  objects: number;
  /** How many of them are sources; the rest are Kustomizations. */
  sources: number;
  /** `interval` of every source, such as `1m`. */
  sourceInterval: string;
  /** `sweep.interval`. */
  sweepInterval: string;
}

/** The defaults of Slipway, and the sizes that the documentation speaks of. */
export const DEFAULT_FLEET: Omit<IdleFleet, 'clusters'> = {
  objects: 20,
  sources: 1,
  sourceInterval: '1m',
  sweepInterval: '1m',
};

/** The provider of the fleet file. */
export const PROVIDER = 'git';
const HOST = 'git.example.test';
const URL = `https://${HOST}/owner/fleet.git`;
const NAMESPACE = 'flux-system';

/** How many objects each Kustomization applies. */
const APPLIED = 4;

/** The fleet file. */
export function idleFleetFile({ clusters, sourceInterval, sweepInterval }: IdleFleet): Fleet {
  const names = Array.from({ length: clusters }, (_, index) => `cluster-${String(index).padStart(4, '0')}`);
  const text = JSON.stringify({
    clusters: names.map((name) => ({
      name,
      kubeconfig: `aws-sm:slipway/${name}`,
      source: { url: URL, branch: 'main', path: './root', interval: sourceInterval },
    })),
    providers: [{ name: PROVIDER, type: 'gitea', url: `https://${HOST}`, token: 'aws-sm:slipway/token' }],
    sweep: { interval: sweepInterval },
  });
  return loadFleet(text, { path: '/idle/slipway.yaml' });
}

/** The one commit that there is, and an engine that gives the objects of its directories as they stand there. */
export function idleCommit(fleet: IdleFleet): { source: SourceKind<GitRepository>; engine: Engine } {
  const files = filesOf(fleet);
  const entries = Object.entries(files).map(([path, objects]) => ({
    path,
    data: Buffer.from(JSON.stringify(objects)),
  }));
  const { archive, index } = createTar(entries);
  const hash = sha256(archive).slice('sha256:'.length, 47);
  const person = 'Ada <ada@example.test>';
  return {
    source: {
      async resolve(_object, { fleetCredentials }) {
        await fleetCredentials?.();
        return gitRevision('main', hash);
      },
      fetch: async (_object, revision = '') => ({
        revision,
        archive,
        index,
        commit: { hash, author: person, committer: person, subject: 'all there is' },
      }),
    },
    engine: {
      build({ path }) {
        const file = `${path.replace(/^\.\//, '')}/objects.json`;
        const closure = { files: [file], missing: [], directories: [] };
        const payload = Buffer.from(JSON.stringify(files[file]));
        return Promise.resolve({
          ok: true,
          code: '',
          error: '',
          closure,
          warnings: [],
          secrets: [],
          payload,
        });
      },
      warm() {},
      close: () => Promise.resolve(),
    },
  };
}

function filesOf({ objects, sources, sourceInterval }: IdleFleet): Record<string, object[]> {
  const others = Array.from({ length: sources - 1 }, (_, index) =>
    gitRepository(`source-${index}`, NAMESPACE, URL, { interval: sourceInterval }),
  );
  const names = Array.from({ length: objects - sources - 1 }, (_, index) => `app-${index}`);
  const kustomizations = names.map((name, index) => {
    const source = others[index % (others.length + 1)]?.metadata.name ?? 'flux-system';
    return kustomization(name, `./${name}`, { sourceRef: { kind: 'GitRepository', name: source } });
  });
  const applied = (name: string) =>
    Array.from({ length: APPLIED }, (_, index) => configMap(`${name}-${index}`, NAMESPACE, { value: '1' }));
  return {
    'root/objects.json': [...others, ...kustomizations],
    ...Object.fromEntries(names.map((name) => [`${name}/objects.json`, applied(name)])),
  };
}
