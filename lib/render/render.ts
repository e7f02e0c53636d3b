import { digestOf, sha256 } from '../core/digest.ts';
import { ReconcileError } from '../core/errors.ts';
import type { KubernetesObject } from '../core/object.ts';
import type { Closure } from '../core/tree.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import { checkObjects } from './check-objects.ts';
import type { BuildAnswer, BuildRequest, Engine } from './engine.ts';
import { EngineFault } from './engine-process.ts';
import type { Decryption } from './key-service.ts';
import { parseObjects } from './parse-objects.ts';
import { substitution } from './substitute.ts';

export type { Decryption } from './key-service.ts';

/** What to render. */
export interface RenderInput {
  kustomization: Kustomization;
  /** `sha256:<hex>` of the artifact. */
  artifactDigest: string;
  /** Reads the artifact (an uncompressed tar); called only when the engine does not hold it. */
  readTree: () => Promise<Uint8Array>;
  /** Variables of `substituteFrom` and `substitute`, merged; used only when the Kustomization has `postBuild`. */
  variables: Readonly<Record<string, string>>;
  /** Values that must not appear in errors, such as those of variables from Secrets. Default: the values of all variables. */
  secrets?: readonly string[];
  /** The private keys of `spec.decryption`; without them encrypted files are an error when decryption is on. */
  decryption?: Decryption;
  /** Whose manifests these are; engine processes are not shared between tenants. */
  tenant: string;
  signal?: AbortSignal;
}

/** Manifests ready to be applied. */
export interface Rendered {
  objects: KubernetesObject[];
  /** `sha256:` of what was rendered: equal digests mean equal objects in equal order. */
  digest: string;
  /** What of the artifact the build looked at; paths are relative to the artifact's root. */
  closure: Closure;
  /** Things worth telling that are no errors. */
  warnings: string[];
  /** Texts that were decrypted; to be kept out of all that is written or shown. */
  secrets: string[];
}

/**
 * Renders a Kustomization: build ▸ decrypt ▸ substitute ▸ check.
 * @throws {ReconcileError} `ArtifactFailed` when the path does not exist in the source, `BuildFailed` for everything else
 */
export async function render(engine: Engine, input: RenderInput): Promise<Rendered> {
  const { spec } = input.kustomization;
  const answer = await buildOrThrow(engine, input);
  const objects = parseObjects(answer.payload);
  checkObjects(objects);
  addCommonMetadata(objects, spec.commonMetadata);
  const built = sha256(answer.payload);
  return {
    objects,
    digest: spec.commonMetadata ? digestOf([built, spec.commonMetadata]) : built,
    closure: answer.closure,
    warnings: answer.warnings,
    secrets: answer.secrets,
  };
}

function requestOf({ kustomization: { spec }, artifactDigest, variables }: RenderInput): BuildRequest {
  const { targetNamespace, namePrefix, nameSuffix, patches, images, components } = spec;
  const { ignoreMissingComponents, buildMetadata } = spec;
  const substitute = substitution(spec.postBuild, variables);
  return {
    tree: artifactDigest,
    path: spec.path ?? '',
    spec: {
      ...{ targetNamespace, namePrefix, nameSuffix, patches, images, components },
      ...{ ignoreMissingComponents, buildMetadata },
    },
    ...(substitute ? { substitute } : {}),
    ...(spec.decryption ? { decrypt: true } : {}),
  };
}

async function buildOrThrow(engine: Engine, input: RenderInput): Promise<BuildAnswer> {
  const where = `path ${JSON.stringify(input.kustomization.spec.path ?? './')}`;
  const secrets = input.secrets ?? Object.values(input.variables);
  let answer: BuildAnswer;
  try {
    const { tenant, readTree, signal, decryption } = input;
    answer = await engine.build(requestOf(input), { tenant, readTree, signal, decryption });
  } catch (error) {
    if (!(error instanceof EngineFault)) throw error;
    throw new ReconcileError('BuildFailed', `build of ${where} failed: ${error.message}`, {
      cause: error,
      secrets,
    });
  }
  if (answer.ok) return answer;
  const reason = answer.code === 'NotFound' ? 'ArtifactFailed' : 'BuildFailed';
  throw new ReconcileError(reason, `build of ${where} failed: ${answer.error}`, {
    secrets: [...secrets, ...answer.secrets],
  });
}

/** Labels and annotations of `spec.commonMetadata` go over those of the manifests. */
function addCommonMetadata(
  objects: readonly KubernetesObject[],
  common: Kustomization['spec']['commonMetadata'],
): void {
  for (const { metadata } of common ? objects : []) {
    if (common?.labels) metadata.labels = { ...metadata.labels, ...common.labels };
    if (common?.annotations) metadata.annotations = { ...metadata.annotations, ...common.annotations };
  }
}
