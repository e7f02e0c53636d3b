import * as z from 'zod';
import { SecretReference } from '../secrets/reference.ts';
import { Name } from './fields.ts';

/** Where each type lives when it is not self-hosted; the others must say. */
const PUBLIC_URLS: Readonly<Record<string, string>> = {
  github: 'https://github.com',
  gitlab: 'https://gitlab.com',
  bitbucket: 'https://bitbucket.org',
};

const types = ['github', 'gitlab', 'gitea', 'bitbucket', 'bitbucket-server'] as const;

const App = z.strictObject({
  id: z
    .union([z.string().regex(/^\d+$/), z.int().positive()])
    .transform(String)
    .describe('Id of the GitHub App.'),
  installationId: z
    .union([z.string().regex(/^\d+$/), z.int().positive()])
    .transform(String)
    .describe('Id of its installation.'),
  privateKey: SecretReference.describe('Its private key in PEM.'),
});

/** A Git provider: where repositories, webhooks and commit statuses live. */
export const FleetProvider = z
  .strictObject({
    name: Name.describe('Name of the provider, used in the path of its webhook.'),
    type: z.enum(types).describe('What it is; gitea stands for Forgejo too.'),
    url: z
      .url({ protocol: /^https?$/, error: 'must be a URL with https or http' })
      .describe('Base URL of a self-hosted provider.')
      .exactOptional(),
    username: z
      .string()
      .min(1)
      .describe('User name that goes with the token, where the provider wants one.')
      .exactOptional(),
    owners: z
      .array(
        z.string().regex(/^[^\s/]+(\/[^\s/]+)*$/, { error: 'must be an owner, such as acme or acme/team' }),
      )
      .min(1)
      .describe(
        'Organisations, groups or users whose repositories it is for; its webhooks may speak of no others. All when absent.',
      )
      .exactOptional(),
    token: SecretReference.describe('Token to fetch with and to write statuses with.').exactOptional(),
    app: App.describe('A GitHub App, in place of a token.').exactOptional(),
    webhookSecrets: z
      .array(SecretReference)
      .max(2)
      .default([])
      .describe('Secrets of its webhooks; two are accepted at once, so that they can be rotated.'),
  })
  .superRefine((provider, context) => {
    if (provider.token !== undefined && provider.app !== undefined)
      context.addIssue({ code: 'custom', path: ['app'], message: 'cannot be given together with token' });
    if (provider.app !== undefined && provider.type !== 'github')
      context.addIssue({ code: 'custom', path: ['app'], message: 'is for providers of type github alone' });
    if (provider.url === undefined && PUBLIC_URLS[provider.type] === undefined)
      context.addIssue({ code: 'custom', path: ['url'], message: `is required for type ${provider.type}` });
  })
  .transform((provider) => ({ ...provider, url: baseUrl(provider.url ?? PUBLIC_URLS[provider.type] ?? '') }))
  .describe('A Git provider.');
export type FleetProvider = z.output<typeof FleetProvider>;

function baseUrl(url: string): string {
  return url.replace(/\/+$/, '');
}
