import * as v from 'valibot';
import { Text } from '../fields.ts';
import { JsonObject, jsonObject } from '../json-object.ts';
import { readPayload } from '../payload-error.ts';
import { verifyToken } from '../signature.ts';
import { pushOf, received } from './pushes.ts';
import type { RegistryType } from './registry-type.ts';
import { sentToken } from './sent-token.ts';

const Payload = jsonObject({
  id: v.string(),
  source: v.string(),
  'detail-type': v.string(),
  account: v.pipe(v.string(), v.regex(/^\d{12}$/)),
  region: v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,40}$/)),
  detail: JsonObject,
});

const Detail = jsonObject({
  result: v.string(),
  'action-type': v.string(),
  'repository-name': v.string(),
  'image-tag': Text,
});

/**
 * Amazon ECR, by an API destination of EventBridge; the secret is the API key of its connection.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html
 */
export const ecr: RegistryType = {
  secretInPath: false,
  verify: ({ headers }, { secrets }) => verifyToken(sentToken(headers), secrets),
  deliveryId: (_headers, payload) => readPayload(Payload, payload).id,
  parse(_headers, payload, host) {
    const { source, account, region, detail, 'detail-type': type } = readPayload(Payload, payload);
    if (source !== 'aws.ecr' || type !== 'ECR Image Action')
      return { kind: 'ignored', why: 'it tells of no image' };
    const { result, 'action-type': action, ...image } = readPayload(Detail, detail);
    if (result !== 'SUCCESS' || action !== 'PUSH') return { kind: 'ignored', why: 'nothing was pushed' };
    const own = new RegExp(
      `^${account}\\.dkr\\.ecr(-fips)?\\.${region}\\.(amazonaws\\.com(\\.cn)?|on\\.aws)$`,
    );
    if (!own.test(host)) return { kind: 'forbidden' };
    return received([pushOf(host, [image['repository-name']], image['image-tag'])]);
  },
};
