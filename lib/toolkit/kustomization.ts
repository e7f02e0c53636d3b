import * as z from 'zod';
import { Duration, LocalReference, Metadata, Selector, StringMap } from './fields.ts';
import { KustomizationStatus } from './kustomization-status.ts';

const CommonMetadata = z.strictObject({
  annotations: StringMap.describe('Annotations to set.').exactOptional(),
  labels: StringMap.describe('Labels to set.').exactOptional(),
});

const Dependency = z
  .strictObject({
    name: z.string().describe('Name of the Kustomization.'),
    namespace: z.string().describe('Namespace of the Kustomization; the own one by default.').exactOptional(),
    readyExpr: z
      .string()
      .describe(
        'CEL expression over self and dep that says whether the dependency is ready; it replaces the built-in check.',
      )
      .exactOptional(),
  })
  .describe('A Kustomization that must be ready first.');

const Decryption = z.strictObject({
  provider: z.enum(['sops']).describe('What the files were encrypted with.'),
  serviceAccountName: z
    .string()
    .describe(
      'ServiceAccount to authenticate with at the key service of a cloud; credentials in the secret go before it.',
    )
    .exactOptional(),
  secretRef: LocalReference.describe(
    'Secret with age or OpenPGP keys, or credentials of a key service.',
  ).exactOptional(),
});

const Patch = z
  .strictObject({
    patch: z.string().describe('A strategic merge patch or a list of JSON patch operations, as YAML.'),
    target: Selector.describe(
      'The objects to patch; may be left out when the patch names its object.',
    ).exactOptional(),
  })
  .describe('A change of built objects.');

const Image = z
  .strictObject({
    name: z.string().describe('Name of the image in the manifests, without tag.'),
    newName: z.string().describe('Name to put in its place.').exactOptional(),
    newTag: z.string().describe('Tag to put in its place.').exactOptional(),
    digest: z.string().describe('Digest to put in place of the tag; newTag is then ignored.').exactOptional(),
  })
  .describe('A change of an image.');

const SubstituteReference = z
  .strictObject({
    kind: z.enum(['Secret', 'ConfigMap']).describe('Secret or ConfigMap.'),
    name: z.string().min(1).max(253).describe('Name of the object, in the same namespace.'),
    optional: z.boolean().default(false).describe('Go on without it when it does not exist.'),
  })
  .describe('An object whose data are variables.');

const PostBuild = z.strictObject({
  substituteStrategy: z
    .enum(['WithVariables', 'Always'])
    .describe('Substitute only when there is at least one variable (WithVariables, the default), or Always.')
    .exactOptional(),
  substitute: StringMap.describe(
    'Variables and their values; they go before those of substituteFrom.',
  ).exactOptional(),
  substituteFrom: z
    .array(SubstituteReference)
    .describe('ConfigMaps and Secrets with variables; later ones go before earlier ones.')
    .exactOptional(),
});

const KubeConfig = z
  .strictObject({
    secretRef: z
      .strictObject({
        name: z.string().describe('Name of the Secret, in the same namespace.'),
        key: z
          .string()
          .describe('Key of the kubeconfig in the Secret; value or value.yaml by default.')
          .exactOptional(),
      })
      .describe('Secret with a self-contained kubeconfig. Excludes configMapRef.')
      .exactOptional(),
    configMapRef: LocalReference.describe(
      'ConfigMap that says where the cluster is and which cloud identity opens it (provider, cluster, address, ca.crt, audiences, serviceAccountName). Excludes secretRef.',
    ).exactOptional(),
  })
  .refine(({ secretRef, configMapRef }) => (secretRef === undefined) !== (configMapRef === undefined), {
    error: 'exactly one of configMapRef and secretRef must be set',
  });

/** The same rules for the API server, which checks them one by one. */
const KUBE_CONFIG_RULES = [
  {
    rule: 'has(self.configMapRef) || has(self.secretRef)',
    message: 'exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified',
  },
  {
    rule: '!has(self.configMapRef) || !has(self.secretRef)',
    message: 'exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified',
  },
];

const SourceReference = z.strictObject({
  apiVersion: z.string().describe('API version of the source.').exactOptional(),
  kind: z
    .enum(['OCIRepository', 'GitRepository', 'Bucket', 'ExternalArtifact'])
    .describe('Kind of the source.'),
  name: z.string().describe('Name of the source.'),
  namespace: z.string().describe('Namespace of the source; the own one by default.').exactOptional(),
});

const HealthCheck = z
  .strictObject({
    apiVersion: z
      .string()
      .describe('API version; the preferred one of the cluster by default.')
      .exactOptional(),
    kind: z.string().describe('Kind of the object.'),
    name: z.string().describe('Name of the object.'),
    namespace: z.string().describe('Namespace of the object; the own one by default.').exactOptional(),
  })
  .describe('An object whose health is awaited.');

const HealthCheckExpression = z
  .strictObject({
    apiVersion: z.string().describe('API version of the objects.'),
    kind: z.string().describe('Kind of the objects.').exactOptional(),
    current: z.string().describe('CEL expression that is true when the object is as it should be.'),
    inProgress: z
      .string()
      .describe('CEL expression that is true while the object is getting there.')
      .exactOptional(),
    failed: z.string().describe('CEL expression that is true when the object has failed.').exactOptional(),
  })
  .describe('How the health of a custom resource is told from its fields.');

const IgnoreRule = z
  .strictObject({
    paths: z.array(z.string()).describe('JSON pointers (RFC 6901) of fields to leave alone.'),
    target: Selector.describe('The objects concerned; all by default.').exactOptional(),
  })
  .describe('Fields that are left to others.');

const Spec = z
  .strictObject({
    interval: Duration.describe('How often the objects are compared with the cluster and corrected.'),
    retryInterval: Duration.describe(
      'How soon a failed run is repeated; as interval by default.',
    ).exactOptional(),
    timeout: Duration.describe(
      'Limit of time for building, applying and health checks; by default 30 seconds less than interval, at least 30 seconds.',
    ).exactOptional(),
    sourceRef: SourceReference.describe('The source to build from.'),
    path: z.string().describe('Directory to build, relative to the root of the source.').exactOptional(),
    prune: z.boolean().describe('Delete objects that were applied before and are gone from the source.'),
    deletionPolicy: z
      .enum(['MirrorPrune', 'Delete', 'WaitForTermination', 'Orphan'])
      .describe(
        'What becomes of applied objects when this object is deleted: as prune says (MirrorPrune, the default), Delete, WaitForTermination (delete and wait) or Orphan (keep).',
      )
      .exactOptional(),
    wait: z
      .boolean()
      .describe('Wait until all applied objects are healthy; healthChecks are then ignored.')
      .exactOptional(),
    force: z
      .boolean()
      .default(false)
      .describe('Delete and create again the objects whose change an immutable field forbids.'),
    suspend: z.boolean().describe('Leave everything alone until this is removed.').exactOptional(),
    dependsOn: z
      .array(Dependency)
      .describe('Kustomizations that must be ready before this one.')
      .exactOptional(),
    healthChecks: z.array(HealthCheck).describe('Objects whose health is awaited.').exactOptional(),
    healthCheckExprs: z
      .array(HealthCheckExpression)
      .describe('How the health of custom resources is told; used with wait or healthChecks.')
      .exactOptional(),
    decryption: Decryption.describe('How encrypted files are decrypted.').exactOptional(),
    postBuild: PostBuild.describe('Variables substituted in the built manifests.').exactOptional(),
    patches: z.array(Patch).describe('Changes of built objects.').exactOptional(),
    images: z.array(Image).describe('Changes of image names, tags and digests.').exactOptional(),
    components: z
      .array(z.string())
      .describe('Directories of kustomize components to add, relative to path.')
      .exactOptional(),
    ignoreMissingComponents: z.boolean().describe('Leave out components that do not exist.').exactOptional(),
    targetNamespace: z.string().min(1).max(63).describe('Namespace of all built objects.').exactOptional(),
    namePrefix: z
      .string()
      .min(1)
      .max(200)
      .describe('Put before the names of all built objects.')
      .exactOptional(),
    nameSuffix: z
      .string()
      .min(1)
      .max(200)
      .describe('Put after the names of all built objects.')
      .exactOptional(),
    commonMetadata: CommonMetadata.describe(
      'Labels and annotations set on all built objects.',
    ).exactOptional(),
    buildMetadata: z
      .array(z.enum(['originAnnotations', 'transformerAnnotations']))
      .describe('Annotations that kustomize adds: where objects come from, what transformed them.')
      .exactOptional(),
    ignore: z.array(IgnoreRule).describe('Fields that are left to others.').exactOptional(),
    serviceAccountName: z.string().describe('ServiceAccount to act as.').exactOptional(),
    kubeConfig: KubeConfig.meta({
      description: 'The remote cluster to apply to.',
      'x-kubernetes-validations': KUBE_CONFIG_RULES,
    }).exactOptional(),
  })
  .describe('What to build, how to apply it and how often.');

/** Manifests of a source to build and apply. https://fluxcd.io/flux/components/kustomize/kustomizations/ */
export const Kustomization = z
  .strictObject({
    apiVersion: z.literal('kustomize.toolkit.fluxcd.io/v1'),
    kind: z.literal('Kustomization'),
    metadata: Metadata,
    spec: Spec,
    status: KustomizationStatus.exactOptional(),
  })
  .describe('Manifests of a source that are built with kustomize and applied.');
export type Kustomization = z.infer<typeof Kustomization>;
