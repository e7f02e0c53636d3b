import { readPayload } from '../payload-error.ts';
import * as s from '../shape.ts';
import { verifyToken } from '../signature.ts';
import { pushOf, received } from './pushes.ts';
import type { RegistryType } from './registry-type.ts';
import { sentToken } from './sent-token.ts';

const Data = s.object({
  resources: s.array(s.object({ tag: s.string().nullish() }), { max: 10_000 }),
  repository: s.object({ repo_full_name: s.string() }),
});

const Kind = s.object({ type: s.string(), id: s.string().nullish() });

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
    const read = readPayload(s.object({ event_data: Data.optional(), data: Data.optional() }), payload);
    const { resources, repository } = read.event_data ?? readPayload(Data, read.data);
    return received(resources.map(({ tag }) => pushOf(host, [repository.repo_full_name], tag)));
  },
};
