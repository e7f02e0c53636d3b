import * as z from 'zod';
import { canonicalHost } from '../core/image-reference.ts';
import { SecretReference } from '../secrets/reference.ts';
import { Name } from './fields.ts';

/** Where each type lives when it is not self-hosted; the others must say. */
const PUBLIC_HOSTS: Readonly<Record<string, string>> = {
  dockerhub: 'index.docker.io',
  ghcr: 'ghcr.io',
  quay: 'quay.io',
};

const types = [
  'acr',
  'distribution',
  'dockerhub',
  'ecr',
  'gcr',
  'generic',
  'ghcr',
  'harbor',
  'nexus',
  'quay',
] as const;

const Identity = z.strictObject({
  email: z.string().min(1).describe('E-mail of the service account of the push subscription.'),
  audience: z.string().min(1).describe('Audience of the push subscription.'),
});

/** A container registry that sends webhooks. What it says is a hint: tags are read with the credentials of the objects that follow them. */
export const FleetRegistry = z
  .strictObject({
    name: Name.describe('Name of the registry, for logs.'),
    type: z.enum(types).describe('What it is; the last part of the path of its webhooks.'),
    host: z
      .string()
      .refine((host) => canonicalHost(host) !== undefined, {
        error: 'must be the host of a registry, such as registry.example.com or localhost:5000',
      })
      .describe('Host of its images, with the port. Its webhooks may speak of no others.')
      .exactOptional(),
    webhookSecrets: z
      .array(SecretReference)
      .max(2)
      .default([])
      .describe('Secrets of its webhooks; two are accepted at once, so that they can be rotated.'),
    identity: Identity.describe('Who signs the webhooks of type gcr, in place of a secret.').exactOptional(),
  })
  .superRefine((registry, context) => {
    const fault = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    const isGoogle = registry.type === 'gcr';
    if (registry.host === undefined && PUBLIC_HOSTS[registry.type] === undefined)
      fault('host', `is required for type ${registry.type}`);
    if (isGoogle && registry.identity === undefined) fault('identity', 'is required for type gcr');
    if (isGoogle && registry.webhookSecrets.length > 0)
      fault('webhookSecrets', 'cannot be given for type gcr, which signs with its identity');
    if (!isGoogle && registry.identity !== undefined)
      fault('identity', 'is for registries of type gcr alone');
    if (!isGoogle && registry.webhookSecrets.length === 0)
      fault('webhookSecrets', 'is required: without a secret no webhook is accepted');
  })
  .transform((registry) => ({
    ...registry,
    host: canonicalHost(registry.host ?? PUBLIC_HOSTS[registry.type] ?? '') ?? '',
  }))
  .describe('A container registry.');
export type FleetRegistry = z.output<typeof FleetRegistry>;
