import * as v from 'valibot';
import { Text } from '../fields.ts';
import { jsonObject } from '../json-object.ts';
import { readPayload } from '../payload-error.ts';
import { pushOf, received } from './pushes.ts';
import type { RegistryType } from './registry-type.ts';

const Payload = jsonObject({
  push_data: jsonObject({ tag: Text }),
  repository: jsonObject({ repo_name: v.string() }),
});

/** Docker Hub; it cannot sign. Its `callback_url` is never called. https://docs.docker.com/docker-hub/repos/manage/webhooks/ */
export const dockerhub: RegistryType = {
  secretInPath: true,
  deliveryId: () => undefined,
  parse(_headers, payload, host) {
    const { push_data: push, repository } = readPayload(Payload, payload);
    return received([pushOf(host, [repository.repo_name], push.tag)]);
  },
};
