import * as z from 'zod';
import { readPayload } from '../payload-error.ts';
import { verifyToken } from '../signature.ts';
import { pushOf, received } from './pushes.ts';
import type { RegistryType } from './registry-type.ts';
import { sentToken } from './sent-token.ts';

const Data = z.object({
  resources: z.array(z.object({ tag: z.string().nullish() })).max(10_000),
  repository: z.object({ repo_full_name: z.string() }),
});

const Kind = z.object({ type: z.string(), id: z.string().nullish() });

/** The names of a push in both formats, and in that of old versions. */
const PUSHES: ReadonlySet<string> = new Set(['PUSH_ARTIFACT', 'harbor.artifact.pushed', 'pushImage']);

/**
 * Harbor, in its own format or as a CloudEvent; the secret is its "Auth Header".
 * https://goharbor.io/docs/main/working-with-projects/project-configuration/configure-webhooks/
 */
export const harbor: RegistryType = {
  secretInPath: false,
  verify: ({ headers }, { secrets }) => verifyToken(sentToken(headers), secrets),
  deliveryId: (headers, payload) => headers.get('ce-id') ?? readPayload(Kind, payload).id ?? undefined,
  parse(_headers, payload, host) {
    const { type } = readPayload(Kind, payload);
    if (!PUSHES.has(type)) return { kind: 'ignored', why: 'nothing was pushed' };
    const read = readPayload(z.object({ event_data: Data.optional(), data: Data.optional() }), payload);
    const { resources, repository } = read.event_data ?? readPayload(Data, read.data);
    return received(resources.map(({ tag }) => pushOf(host, [repository.repo_full_name], tag)));
  },
};
