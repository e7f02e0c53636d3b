import { sha256 } from '../../lib/core/digest.ts';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { gitRevision } from '../../lib/core/revision.ts';
import type { BuildAnswer, Engine } from '../../lib/render/engine.ts';
import type { Fetched, SourceKind } from '../../lib/source/source.ts';
import { createTar } from '../../lib/tar.ts';
import type { GitRepository } from '../../lib/toolkit/git-repository.ts';
import { kustomization } from '../support/fleet-repository.ts';
import type { Process, Scheduler } from './scheduler.ts';

export const NAMESPACE = 'flux-system';
export const URL = 'https://git.example.test/owner/fleet.git';

/** What a commit says, in few words. */
export interface Content {
  /** What all ConfigMaps hold. */
  value: number;
  /** Who applies the ConfigMap `shared`: it moves between the two Kustomizations. */
  shared: 'base' | 'app' | 'none';
  /** Whether `base` and `app` have one ConfigMap more. */
  more: { base: boolean; app: boolean };
  /** Whether the root brings the Kustomization `app`. */
  app: boolean;
  /** Whether `app` waits for `base`. */
  dependsOn: boolean;
  /** The Kustomization whose build fails. */
  broken: 'base' | 'app' | 'none';
}

/** A commit: two with the same content differ. */
export interface Commit {
  hash: string;
  content: Content;
  files: Readonly<Record<string, KubernetesObject[] | 'broken'>>;
  archive: Uint8Array;
  index: Record<string, string>;
}

/** The repository: where its branch is, and every commit that there was. */
export class Repository {
  head: Commit;
  readonly #byHash: Map<string, Commit>;
  readonly #byDigest: Map<string, Commit>;

  constructor(from: Repository | Content) {
    this.#byHash = new Map(from instanceof Repository ? from.#byHash : []);
    this.#byDigest = new Map(from instanceof Repository ? from.#byDigest : []);
    this.head = from instanceof Repository ? from.head : this.commit(from);
  }

  /** Makes a commit, the branch's new head. */
  commit(content: Content): Commit {
    const hash = sha256(Buffer.from(`${this.#byHash.size}${JSON.stringify(content)}`)).slice(7, 47);
    const files = filesOf(content);
    const tree = treeOf(files);
    const commit: Commit = { hash, content, files, ...tree };
    this.#byHash.set(hash, commit);
    this.#byDigest.set(tree.digest, commit);
    this.head = commit;
    return commit;
  }

  /** Moves the branch to any commit, as a force-push does. */
  reset(commit: Commit): void {
    this.head = commit;
  }

  get commits(): Commit[] {
    return [...this.#byHash.values()];
  }

  at(hash: string): Commit | undefined {
    return this.#byHash.get(hash);
  }

  /** By the digest of its tree. */
  tree(digest: string): Commit | undefined {
    return this.#byDigest.get(digest);
  }
}

/** The repository as one process fetches from it. */
export function modelledSource(
  scheduler: Scheduler,
  process: Process,
  repository: Repository,
): SourceKind<GitRepository> {
  const call = <T>(name: string, act: () => T) =>
    scheduler.call(process, 'source', name, { writes: false, act });
  return {
    resolve: () => call('resolve main', () => gitRevision('main', repository.head.hash)),
    fetch: (_object, revision = '') =>
      call('fetch', (): Fetched => {
        const commit = repository.at(revision.slice(revision.lastIndexOf(':') + 1)) ?? repository.head;
        const { hash, archive, index } = commit;
        const person = 'Ada <ada@example.test>';
        return {
          revision,
          archive,
          index,
          commit: { hash, author: person, committer: person, subject: 'change' },
        };
      }),
  };
}

/** An engine that gives the objects of a directory as they stand there. */
export function modelledEngine(repository: Repository): Engine {
  return {
    build: ({ tree, path }) => Promise.resolve(build(repository.tree(tree), path.replace(/^\.\//, ''))),
    warm() {},
    close: () => Promise.resolve(),
  };
}

function build(commit: Commit | undefined, folder: string): BuildAnswer {
  const file = `${folder}/objects.json`;
  const found = commit?.files[file];
  const closure = { files: found ? [file] : [], missing: found ? [] : [file], directories: [] };
  const answer = { code: '', error: '', closure, warnings: [], secrets: [], payload: Buffer.from('[]') };
  if (found === undefined) return { ...answer, ok: false, code: 'NotFound', error: 'no such directory' };
  if (found === 'broken')
    return { ...answer, ok: false, code: 'BuildFailed', error: 'the manifest is broken' };
  return { ...answer, ok: true, payload: Buffer.from(JSON.stringify(found)) };
}

function filesOf(content: Content): Commit['files'] {
  const { value, shared, more, app, dependsOn, broken } = content;
  const names = (folder: 'base' | 'app') => [
    folder,
    ...(shared === folder ? ['shared'] : []),
    ...(more[folder] ? [`${folder}-more`] : []),
  ];
  const objects = (folder: 'base' | 'app') =>
    broken === folder ? ('broken' as const) : names(folder).map((name) => configMap(name, value));
  return {
    'root/objects.json': [
      child('base', {}),
      ...(app ? [child('app', dependsOn ? { dependsOn: [{ name: 'base' }] } : {})] : []),
    ],
    'base/objects.json': objects('base'),
    'app/objects.json': objects('app'),
  };
}

/** Few contents come up over all runs: their trees are made once. */
const trees = new Map<string, ReturnType<typeof makeTree>>();

function treeOf(files: Commit['files']): ReturnType<typeof makeTree> {
  const key = JSON.stringify(files);
  const tree = trees.get(key) ?? makeTree(files);
  trees.set(key, tree);
  return tree;
}

function makeTree(files: Commit['files']) {
  const { archive, index } = createTar(
    Object.entries(files).map(([path, objects]) => ({ path, data: Buffer.from(JSON.stringify(objects)) })),
  );
  return { archive, index, digest: sha256(archive) };
}

function configMap(name: string, value: number): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: NAMESPACE },
    data: { value: `${value}` },
  };
}

function child(name: string, spec: Record<string, unknown>): KubernetesObject {
  return kustomization(name, `./${name}`, { interval: '1h', ...spec }, NAMESPACE);
}
