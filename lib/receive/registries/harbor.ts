import * as v from 'valibot';
import { Text } from '../fields.ts';
import { jsonObject } from '../json-object.ts';
import { readPayload } from '../payload-error.ts';
import { verifyToken } from '../signature.ts';
import { pushOf, received } from './pushes.ts';
import type { RegistryType } from './registry-type.ts';
import { sentToken } from './sent-token.ts';

const Data = jsonObject({
  resources: v.pipe(v.array(jsonObject({ tag: Text })), v.maxLength(10_000)),
  repository: jsonObject({ repo_full_name: v.string() }),
});

const Kind = jsonObject({ type: v.string(), id: Text });

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
    const read = readPayload(jsonObject({ event_data: v.optional(Data), data: v.optional(Data) }), payload);
    const { resources, repository } = read.event_data ?? readPayload(Data, read.data);
    return received(resources.map(({ tag }) => pushOf(host, [repository.repo_full_name], tag)));
  },
};
