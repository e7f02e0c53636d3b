import { readPayload } from '../payload-error.ts';
import * as s from '../shape.ts';
import { pushOf, received } from './pushes.ts';
import type { RegistryType } from './registry-type.ts';

const Payload = s.object({
  push_data: s.object({ tag: s.string().nullish() }),
  repository: s.object({ repo_name: s.string() }),
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
