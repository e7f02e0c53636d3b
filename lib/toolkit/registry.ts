import { GitRepository } from './git-repository.ts';
import { ImagePolicy } from './image-policy.ts';
import { ImageRepository } from './image-repository.ts';
import { ImageUpdateAutomation } from './image-update-automation.ts';
import type { PrinterColumn, ToolkitKind, UnsupportedKind } from './kind.ts';
import { Kustomization } from './kustomization.ts';
import { Receiver } from './receiver.ts';

const AGE: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
const READY: readonly PrinterColumn[] = [
  { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message' },
];

/** The kinds that are reconciled. One file with the schema and one entry here add a kind. */
export const kinds = [
  {
    supported: true,
    group: 'source.toolkit.fluxcd.io',
    kind: 'GitRepository',
    version: 'v1',
    plural: 'gitrepositories',
    shortNames: ['gitrepo'],
    categories: ['all', 'fluxcd', 'fluxcd-sources'],
    columns: [{ name: 'URL', type: 'string', jsonPath: '.spec.url' }, AGE, ...READY],
    schema: GitRepository,
  },
  {
    supported: true,
    group: 'kustomize.toolkit.fluxcd.io',
    kind: 'Kustomization',
    version: 'v1',
    plural: 'kustomizations',
    shortNames: ['ks'],
    categories: ['all', 'fluxcd', 'fluxcd-appliers'],
    columns: [AGE, ...READY],
    schema: Kustomization,
  },
  {
    supported: true,
    group: 'image.toolkit.fluxcd.io',
    kind: 'ImageRepository',
    version: 'v1',
    plural: 'imagerepositories',
    shortNames: ['imgrepo', 'imagerepo'],
    categories: ['all', 'fluxcd', 'fluxcd-images'],
    columns: [
      { name: 'Image', type: 'string', jsonPath: '.spec.image' },
      { name: 'Tags', type: 'string', jsonPath: '.status.lastScanResult.tagCount' },
      ...READY,
      { name: 'Last scan', type: 'string', jsonPath: '.status.lastScanResult.scanTime', priority: 1 },
      AGE,
    ],
    schema: ImageRepository,
  },
  {
    supported: true,
    group: 'image.toolkit.fluxcd.io',
    kind: 'ImagePolicy',
    version: 'v1',
    plural: 'imagepolicies',
    shortNames: ['imgpol', 'imagepol'],
    categories: ['all', 'fluxcd', 'fluxcd-images'],
    columns: [
      { name: 'Image', type: 'string', jsonPath: '.status.latestRef.name' },
      { name: 'Tag', type: 'string', jsonPath: '.status.latestRef.tag' },
      ...READY,
      AGE,
    ],
    schema: ImagePolicy,
  },
  {
    supported: true,
    group: 'image.toolkit.fluxcd.io',
    kind: 'ImageUpdateAutomation',
    version: 'v1',
    plural: 'imageupdateautomations',
    shortNames: ['iua', 'imgupd', 'imgauto'],
    categories: ['all', 'fluxcd', 'fluxcd-images'],
    columns: [
      ...READY,
      { name: 'Last run', type: 'string', jsonPath: '.status.lastAutomationRunTime', priority: 1 },
      AGE,
    ],
    schema: ImageUpdateAutomation,
  },
  {
    supported: true,
    group: 'notification.toolkit.fluxcd.io',
    kind: 'Receiver',
    version: 'v1',
    plural: 'receivers',
    shortNames: [],
    categories: ['all', 'fluxcd', 'fluxcd-notifications'],
    columns: [AGE, ...READY],
    schema: Receiver,
  },
] as const satisfies readonly ToolkitKind[];

/** Any object of a reconciled kind. */
export type ToolkitObject =
  | GitRepository
  | Kustomization
  | ImageRepository
  | ImagePolicy
  | ImageUpdateAutomation
  | Receiver;

/** Kinds that users of the Toolkit know, but that are not reconciled yet. */
export const unsupportedKinds: readonly UnsupportedKind[] = [
  unsupported('source.toolkit.fluxcd.io', 'v1', [
    'OCIRepository',
    'HelmRepository',
    'HelmChart',
    'Bucket',
    'ExternalArtifact',
  ]),
  unsupported('source.extensions.fluxcd.io', 'v1beta1', ['ArtifactGenerator']),
  unsupported('helm.toolkit.fluxcd.io', 'v2', ['HelmRelease']),
  unsupported('notification.toolkit.fluxcd.io', 'v1beta3', ['Alert', 'Provider']),
].flat();

function unsupported(group: string, version: string, names: readonly string[]): UnsupportedKind[] {
  return names.map((kind) => ({ supported: false, group, version, kind }));
}

const all: readonly (ToolkitKind | UnsupportedKind)[] = [...kinds, ...unsupportedKinds];

/** Whether objects of this group are the Toolkit's, known or not. */
export function isToolkitGroup(group: string): boolean {
  return group.endsWith('.toolkit.fluxcd.io') || all.some((entry) => entry.group === group);
}

/** What is known of a Toolkit kind, reconciled or not; undefined when there is no such kind. */
export function findKind(group: string, kind: string): ToolkitKind | UnsupportedKind | undefined {
  return all.find((entry) => entry.group === group && entry.kind === kind);
}

/** The names of the Toolkit's kinds in a group. */
export function kindsOf(group: string): string[] {
  return all.filter((entry) => entry.group === group).map(({ kind }) => kind);
}
