import type { KubernetesObject } from '../../lib/core/object.ts';
import type { ClusterConnection } from '../../lib/pipeline/context.ts';
import { kinds } from '../../lib/pipeline/kinds.ts';
import type { ToolkitRef } from '../../lib/pipeline/object-key.ts';
import type { WithStatus } from '../../lib/pipeline/status.ts';
import { MissingObject } from './global-options.ts';

const NAMES: Readonly<Record<string, string>> = {
  ks: 'Kustomization',
  kustomization: 'Kustomization',
  kustomizations: 'Kustomization',
  gitrepo: 'GitRepository',
  gitrepository: 'GitRepository',
  gitrepositories: 'GitRepository',
  imgrepo: 'ImageRepository',
  imagerepo: 'ImageRepository',
  imagerepository: 'ImageRepository',
  imagerepositories: 'ImageRepository',
  imgpol: 'ImagePolicy',
  imagepol: 'ImagePolicy',
  imagepolicy: 'ImagePolicy',
  imagepolicies: 'ImagePolicy',
  receiver: 'Receiver',
  receivers: 'Receiver',
  iua: 'ImageUpdateAutomation',
  imgupd: 'ImageUpdateAutomation',
  imgauto: 'ImageUpdateAutomation',
  imageupdateautomation: 'ImageUpdateAutomation',
  imageupdateautomations: 'ImageUpdateAutomation',
};

/**
 * The kind that a word of the command line means.
 * @throws Error naming the words there are
 */
export function kindOf(word: string): string {
  const kind = NAMES[word.toLowerCase()];
  if (kind) return kind;
  throw new Error(`there is no kind ${word}; known are ${Object.keys(NAMES).join(', ')}`);
}

/**
 * What `kind/name`, `kind/namespace/name` or `kind name` means.
 * @param namespace for names that give none; default `flux-system`
 * @throws Error when the words name no object
 */
export function parseObject(words: readonly string[], namespace = 'flux-system'): ToolkitRef {
  const parts = words.flatMap((word) => word.split('/'));
  const [word, ...rest] = parts;
  const name = rest.at(-1);
  if (word === undefined || name === undefined || rest.length > 2) {
    throw new Error('name an object as kind/name or kind/namespace/name, such as ks/flux-system/apps');
  }
  const kind = kindOf(word);
  return {
    group: kinds[kind]?.group ?? '',
    kind,
    namespace: rest.length === 2 ? (rest[0] as string) : namespace,
    name,
  };
}

/**
 * The same, where only a Kustomization makes sense.
 * @throws Error also when the words name an object of another kind
 */
export function parseKustomization(words: readonly string[], namespace?: string): ToolkitRef {
  const ref = parseObject(words, namespace);
  if (ref.kind === 'Kustomization') return ref;
  throw new Error(
    `${words.join(' ')} is of kind ${ref.kind}; this command is for a Kustomization, such as ks/apps`,
  );
}

/** Every object of a kind in a cluster, in order of namespace and name. */
export async function listKind(
  { client }: ClusterConnection,
  kindName: string,
  namespace?: string,
): Promise<WithStatus[]> {
  const kind = kinds[kindName];
  if (!kind) return [];
  const gvk = { group: kind.group, version: kind.version, kind: kindName };
  const { items } = await client.list<WithStatus>(gvk, namespace === undefined ? {} : { namespace });
  const sortKey = ({ metadata }: KubernetesObject) => `${metadata.namespace}/${metadata.name}`;
  return items.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

/**
 * One object of a cluster.
 * @throws MissingObject when it does not exist
 */
export async function getObject({ client, config }: ClusterConnection, ref: ToolkitRef): Promise<WithStatus> {
  const object = await client.get<WithStatus>({ ...ref, version: kinds[ref.kind]?.version ?? 'v1' });
  if (!object)
    throw new MissingObject(`there is no ${ref.kind}/${ref.namespace}/${ref.name} in cluster ${config.name}`);
  return object;
}
