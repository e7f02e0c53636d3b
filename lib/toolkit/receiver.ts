import * as z from 'zod';
import { parseDuration } from '../core/duration.ts';
import { Duration, LocalReference, Metadata, StringMap } from './fields.ts';
import { commonStatus } from './status.ts';

/** The senders that a Receiver can be for. */
export const receiverTypes = [
  'generic',
  'generic-hmac',
  'generic-oidc',
  'github',
  'gitlab',
  'bitbucket',
  'harbor',
  'dockerhub',
  'quay',
  'gcr',
  'nexus',
  'acr',
  'cdevents',
] as const;
type ReceiverType = (typeof receiverTypes)[number];

/** The audience that tokens must be for where a provider names none; Flux's own. */
const DEFAULT_AUDIENCE = 'notification-controller';

const DEFAULT_INTERVAL_MS = 600_000;

const Text = z.string().min(1).max(253);

const Resource = z
  .strictObject({
    apiVersion: z.string().describe('API version of the objects.').exactOptional(),
    kind: z
      .enum([
        'Bucket',
        'GitRepository',
        'Kustomization',
        'HelmRelease',
        'HelmChart',
        'HelmRepository',
        'ImageRepository',
        'ImagePolicy',
        'ImageUpdateAutomation',
        'OCIRepository',
        'ArtifactGenerator',
        'ExternalArtifact',
      ])
      .describe('Kind of the objects.'),
    name: Text.describe('Name of the object, or * for all that matchLabels selects.'),
    namespace: Text.describe('Namespace of the objects; that of the Receiver by default.').exactOptional(),
    matchLabels: StringMap.describe('Labels of the objects to select; needs the name *.').exactOptional(),
    filter: z
      .string()
      .describe(
        'CEL expression that must be true for an object, beside resourceFilter; over res, req and, for generic-oidc, claims.',
      )
      .exactOptional(),
  })
  .describe('Objects to reconcile.');
export type ReceiverResource = z.infer<typeof Resource>;

const Variable = z
  .strictObject({
    name: z.string().describe('Name of the variable, a CEL identifier.'),
    expression: z.string().describe('CEL expression of its value.'),
  })
  .describe('A named CEL expression.');

const Validation = z
  .strictObject({
    expression: z.string().describe('CEL expression that must be true.'),
    message: z.string().describe('What the caller is told when it is not.'),
  })
  .describe('What must hold of a token.');

const OidcProvider = z
  .strictObject({
    issuerURL: z
      .string()
      .regex(/^https?:\/\//, { error: 'must be a URL with https or http' })
      .describe('URL of the issuer, as it stands in the claim iss; its keys are found by OIDC discovery.'),
    audience: z
      .string()
      .describe('What the claim aud must be; notification-controller by default.')
      .exactOptional(),
    variables: z
      .array(Variable)
      .describe('Named CEL expressions over claims and the variables before them, used as vars.<name>.')
      .exactOptional(),
    validations: z
      .array(Validation)
      .min(1)
      .describe(
        'What must hold of a token, over claims and vars. A signature alone proves little: public issuers give tokens to anybody, so name who may call.',
      ),
  })
  .describe('An issuer whose tokens are accepted.');
export type OidcProvider = z.infer<typeof OidcProvider>;

/** The rules between fields, as the API server checks them and as they are checked here. */
const RULES = [
  {
    rule: "self.type != 'generic-oidc' || (has(self.oidcProviders) && size(self.oidcProviders) > 0)",
    message: 'generic-oidc receivers must define at least one oidcProvider',
    path: 'oidcProviders',
    holds: (spec: Rest) => spec.type !== 'generic-oidc' || (spec.oidcProviders ?? []).length > 0,
  },
  {
    rule: "self.type == 'generic-oidc' || !has(self.oidcProviders) || size(self.oidcProviders) == 0",
    message: 'oidcProviders can only be set when type is generic-oidc',
    path: 'oidcProviders',
    holds: (spec: Rest) => spec.type === 'generic-oidc' || (spec.oidcProviders ?? []).length === 0,
  },
  {
    rule: "self.type != 'generic-oidc' || !has(self.secretRef)",
    message: 'secretRef cannot be set when type is generic-oidc',
    path: 'secretRef',
    holds: (spec: Rest) => spec.type !== 'generic-oidc' || spec.secretRef === undefined,
  },
  {
    rule: "self.type == 'generic-oidc' || has(self.secretRef)",
    message: 'secretRef is required when type is not generic-oidc',
    path: 'secretRef',
    holds: (spec: Rest) => spec.type === 'generic-oidc' || spec.secretRef !== undefined,
  },
] as const;

interface Rest {
  type: ReceiverType;
  oidcProviders?: unknown[];
  secretRef?: unknown;
}

const Spec = z
  .strictObject({
    type: z.enum(receiverTypes).describe('Who sends; decides how a request is verified and read.'),
    interval: Duration.default('10m').describe('How often the Secret is read again.'),
    events: z
      .array(z.string())
      .describe(
        'Names of the events to heed, such as push for GitHub or Push Hook for GitLab; all by default.',
      )
      .exactOptional(),
    resources: z.array(Resource).describe('What to reconcile.'),
    resourceFilter: z
      .string()
      .describe(
        'CEL expression that must be true for an object to be reconciled: over res (its metadata), req (the body) and, for generic-oidc, claims.',
      )
      .exactOptional(),
    secretRef: LocalReference.describe(
      'Secret with the token that requests are verified with, and that the path is made of; for gcr also with email and audience. Required except for generic-oidc.',
    ).exactOptional(),
    oidcProviders: z
      .array(OidcProvider)
      .describe('Issuers whose tokens are accepted, for generic-oidc.')
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['issuerURL'] })
      .exactOptional(),
    suspend: z.boolean().describe('Refuse requests until this is removed.').exactOptional(),
  })
  .superRefine((spec, context) => {
    for (const { holds, path, message } of RULES)
      if (!holds(spec)) context.addIssue({ code: 'custom', path: [path], message });
    const urls = (spec.oidcProviders ?? []).map(({ issuerURL }) => issuerURL);
    for (const [index, url] of urls.entries())
      if (urls.indexOf(url) < index)
        context.addIssue({
          code: 'custom',
          path: ['oidcProviders', index, 'issuerURL'],
          message: 'is there already',
        });
  })
  .meta({
    description: 'Who may send, and what is reconciled then.',
    'x-kubernetes-validations': RULES.map(({ rule, message }) => ({ rule, message })),
  });

const Status = z
  .looseObject({
    ...commonStatus,
    webhookPath: z
      .string()
      .describe('Path to send to: /hook/ and the SHA-256 of token, name and namespace.')
      .exactOptional(),
  })
  .describe('What was observed.');

/** A webhook that has objects reconciled. https://fluxcd.io/flux/components/notification/receivers/ */
export const Receiver = z
  .strictObject({
    apiVersion: z.literal('notification.toolkit.fluxcd.io/v1'),
    kind: z.literal('Receiver'),
    metadata: Metadata,
    spec: Spec,
    status: Status.exactOptional(),
  })
  .describe('A webhook that has objects reconciled when it is called.');
export type Receiver = z.infer<typeof Receiver>;

/** How often a Receiver is reconciled, in ms. */
export function receiverIntervalOf({ spec }: Receiver): number {
  return parseDuration(spec.interval ?? '') ?? DEFAULT_INTERVAL_MS;
}

/** What the claim `aud` of a provider's tokens must be. */
export function audienceOf({ audience }: Pick<OidcProvider, 'audience'>): string {
  return audience || DEFAULT_AUDIENCE;
}
